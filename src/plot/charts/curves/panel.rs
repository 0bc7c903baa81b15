//! Panels of learning curves for one metric: lines, bands and markers.

use crate::compare::group::Group;
use crate::compare::trial;
use crate::plot::charts::curves::options::Options;
use crate::plot::charts::curves::series::{self, Series, Spread};
use crate::plot::charts::metric_names::{self, capital};
use crate::plot::draw::axis::{Axis, range};
use crate::plot::draw::color::{BLUE, Color, GHOST, INK, QUIET, VERMILION};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::panel::{Flag, Layer, Panel};
use crate::plot::draw::shape::{Dash, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::plot::draw::turning;

/// Arrangement of groups in panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One group in one panel.
    Lone,
    /// Several groups in one panel, in different colors.
    Overlaid,
    /// One panel per group, with the other groups in gray behind.
    Multiples,
}

impl Layout {
    /// Returns the layout for this number of groups.
    pub fn of(groups: usize) -> Layout {
        match groups {
            0 | 1 => Layout::Lone,
            2..=MOST_OVERLAID => Layout::Overlaid,
            _ => Layout::Multiples,
        }
    }
}

/// Elements that were drawn and need legend entries, and notes.
#[derive(Clone, Debug, Default)]
pub struct Used {
    pub(crate) training: bool,
    pub(crate) validation: bool,
    pub(crate) bands: bool,
    pub(crate) best: bool,
    pub(crate) onset: bool,
    pub(crate) broken: bool,
    /// Curves without a finite value, such as `loss of large_weights`.
    pub(crate) empty: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// Maximum number of groups in one panel, which is the number of colors.
const MOST_OVERLAID: usize = 7;

/// Maximum number of groups with bands; more bands would cover each other.
const MOST_WITH_BANDS: usize = 4;

/// Number of markers along a line.
const MARKERS: usize = 6;

/// Curves explode if they exceed the median of all first values by this factor.
const EXPLOSION: f64 = 30.0;

/// The training and validation curves of a group.
struct Pair<'a> {
    group: &'a Group,
    number: usize,
    training: Option<Series>,
    validation: Option<Series>,
}

impl Pair<'_> {
    /// Returns the main curve: validation if there is one, else training.
    fn main(&self) -> Option<&Series> {
        self.validation.as_ref().or(self.training.as_ref())
    }

    fn each(&self) -> impl Iterator<Item = (&Series, bool)> {
        let [training, validation] = [(&self.training, false), (&self.validation, true)];
        [training, validation].into_iter().filter_map(|(series, is)| Some((series.as_ref()?, is)))
    }

    fn has_finite(&self) -> bool {
        self.each().any(|(series, _)| series.points.iter().any(|spread| spread.mean.is_finite()))
    }
}

/// Returns the panels of a metric: one, or one per group; empty if no group has the metric.
pub fn panels(groups: &[&Group], metric: &str, layout: Layout, options: &Options, used: &mut Used) -> Vec<Panel> {
    let of = |group: &Group, name: &str| series::of(group, name, options.x);
    let is_pair = metric_names::base(metric) == metric;
    let pair = |(number, group): (usize, &&'_ Group)| {
        let validation = of(group, &if is_pair { metric_names::validation(metric) } else { metric.to_owned() });
        let training = if is_pair { of(group, metric) } else { None };
        (number, validation, training)
    };
    let pairs = groups.iter().enumerate().map(|numbered| {
        let (number, validation, training) = pair(numbered);
        Pair { group: numbered.1, number, training, validation }
    });
    let (pairs, empty): (Vec<Pair>, Vec<Pair>) = pairs.filter(|pair| pair.main().is_some()).partition(Pair::has_finite);
    for Pair { group, .. } in empty {
        used.empty.push(format!("{} of {}", metric_names::words(metric), group.label));
    }
    if pairs.is_empty() && used.empty.is_empty() {
        return Vec::new();
    }
    let mut draw = Draw { pairs: &pairs, layout, options, used };
    let all = || pairs.iter().flat_map(|pair| pair.each().map(|(series, _)| series));
    let x = draw.x_axis(all().flat_map(|series| &series.points).map(|spread| spread.x));
    let y = draw.y_axis(metric, all());
    let title = capital(&metric_names::words(metric));
    match layout {
        Layout::Lone | Layout::Overlaid => {
            let mut panel = Panel::new(title, x, y);
            pairs.iter().for_each(|pair| draw.curves(&mut panel, pair));
            pairs.iter().for_each(|pair| draw.turnings(&mut panel, pair));
            vec![panel]
        }
        Layout::Multiples => {
            let named = |pair: &Pair| match options.metrics.len() {
                0 | 1 => pair.group.label.clone(),
                _ => format!("{}: {}", pair.group.label, metric_names::words(metric)),
            };
            let of_one = |pair: &Pair| {
                let mut panel = Panel::untitled(x.clone(), y.clone());
                panel.title = named(pair);
                draw.behind(&mut panel, pair);
                draw.curves(&mut panel, pair);
                draw.turnings(&mut panel, pair);
                panel
            };
            pairs.iter().map(of_one).collect()
        }
    }
}

struct Draw<'a> {
    pairs: &'a [Pair<'a>],
    layout: Layout,
    options: &'a Options,
    used: &'a mut Used,
}

impl Draw<'_> {
    fn has_validation(&self) -> bool {
        self.pairs.iter().any(|pair| pair.validation.is_some())
    }

    fn has_bands(&self) -> bool {
        self.layout != Layout::Overlaid || self.pairs.len() <= MOST_WITH_BANDS
    }

    fn x_axis(&self, values: impl Iterator<Item = f64>) -> Axis {
        along(self.options.x, values)
    }

    /// Returns an axis around all curves and bands; logarithmic if requested or if curves explode.
    fn y_axis<'s>(&mut self, metric: &str, series: impl Iterator<Item = &'s Series>) -> Axis {
        let mut values: Vec<f64> = Vec::new();
        for spread in series.flat_map(|series| &series.points) {
            values.push(spread.mean);
            let std = spread.std.filter(|_| self.has_bands());
            values.extend(std.into_iter().flat_map(|std| [spread.mean - std, spread.mean + std]));
        }
        let is_log = self.options.log || self.explode();
        let log = if is_log { Axis::log(metric, values.iter().copied()) } else { None };
        if self.options.log && log.is_none() {
            self.used
                .notes
                .push(format!("{} has no value above zero: its axis is not log", metric_names::words(metric)));
        }
        log.unwrap_or_else(|| Axis::around(metric, metric_names::unit(metric), values))
    }

    /// Returns whether curves reach values far above their first ones, while all values are positive.
    fn explode(&self) -> bool {
        let all = || self.pairs.iter().flat_map(Pair::each).map(|(series, _)| &series.points);
        let finite = |points: &Vec<Spread>| -> Vec<f64> {
            points.iter().map(|spread| spread.mean).filter(|mean| mean.is_finite()).collect()
        };
        let mut firsts: Vec<f64> = all().filter_map(|points| finite(points).first().copied()).collect();
        firsts.sort_by(f64::total_cmp);
        let Some(first) = firsts.len().checked_sub(1).map(|last| firsts[last / 2]) else { return false };
        match range(all().flat_map(finite)) {
            Some((least, most)) => least > 0.0 && most > EXPLOSION * first,
            None => false,
        }
    }

    /// Draws the curves of a group with their bands.
    fn curves(&mut self, panel: &mut Panel, pair: &Pair) {
        let is_overlaid = self.layout == Layout::Overlaid;
        for (series, is_validation) in pair.each() {
            let stroke = stroke(self.layout, pair.number, is_validation, self.has_validation());
            let is_main = is_validation || pair.validation.is_none();
            if series.has_band() && self.has_bands() && (is_main || !is_overlaid) {
                panel.layers.insert(0, Layer::Band(series.band(), stroke.color));
                self.used.bands = true;
            }
            panel.layers.push(Layer::Line(series.line(), stroke));
            if is_overlaid {
                let shown = markers(&series.line(), pair.number, self.pairs.len());
                let (marker, radius) = (Marker::of(pair.number), if is_main { 3.6 } else { 2.2 });
                panel.layers.extend(shown.into_iter().map(|at| Layer::Mark(at, marker, radius, stroke.color)));
            }
            panel.layers.extend(series.broken.iter().map(|at| Layer::Cross(*at, stroke.color)));
            self.used.broken |= !series.broken.is_empty();
            *if is_validation { &mut self.used.validation } else { &mut self.used.training } = true;
        }
    }

    /// Draws the curves of the other groups in gray.
    fn behind(&self, panel: &mut Panel, pair: &Pair) {
        let others = self.pairs.iter().filter(|other| other.number != pair.number).filter_map(Pair::main);
        panel.layers.extend(others.map(|series| Layer::Line(series.line(), Stroke::solid(GHOST, 1.0))));
    }

    /// Marks the best epoch and the start of overfitting: for a single group across the panel, for several groups on
    /// their curves.
    fn turnings(&mut self, panel: &mut Panel, pair: &Pair) {
        let Some(curve) = pair.main() else { return };
        let x = self.options.x;
        // skip marks beyond the end of the curve
        let reached = |turning: &turning::Turning| curve.points.last().is_some_and(|last| last.x >= turning.x);
        if let Some(best) = turning::best(pair.group, x).filter(reached) {
            if self.layout == Layout::Lone {
                let stroke = Stroke { color: QUIET, width: 1.0, dash: Dash::Dotted };
                panel.layers.insert(0, Layer::Rule(best.x, stroke));
                panel.flags.push(Flag { x: best.x, text: format!("best epoch {}", best.median), is_left: true });
            }
            panel.layers.extend(curve.near(best.x).map(|at| Layer::Ring(at, INK)));
            self.used.best = true;
        }
        let most_do = |onset: &turning::Turning| 2 * onset.epochs.len() > pair.group.trials.len();
        if let Some(onset) = turning::onset(pair.group, x).filter(reached).filter(most_do) {
            if self.layout == Layout::Lone {
                panel.layers.insert(0, Layer::Shade(onset.x, panel.x.to));
                panel.flags.push(Flag { x: onset.x, text: format!("overfits from {}", onset.median), is_left: false });
            } else {
                panel.layers.extend(curve.near(onset.x).map(|at| Layer::Stop(at, INK)));
            }
            self.used.onset = true;
        }
    }
}

/// Returns the axis for epochs, steps or seconds; steps and seconds start at 0.
pub fn along(axis: trial::Axis, values: impl Iterator<Item = f64>) -> Axis {
    match axis {
        trial::Axis::Epoch => Axis::along("epoch", Unit::Whole, values),
        trial::Axis::Step => Axis::along("step", Unit::Whole, values.chain([0.0])),
        trial::Axis::Seconds => Axis::along("seconds", Unit::Plain, values.chain([0.0])),
    }
}

/// Returns the line style of a curve. Colors distinguish groups if they share a panel, otherwise training and
/// validation. Training curves are dashed if there are validation curves.
pub fn stroke(layout: Layout, number: usize, is_validation: bool, has_validation: bool) -> Stroke {
    let color = match layout {
        Layout::Overlaid => Color::of(number),
        _ if is_validation => VERMILION,
        _ => BLUE,
    };
    let width = match layout {
        Layout::Overlaid if !is_validation && has_validation => 1.3,
        Layout::Multiples => 1.8,
        _ => 2.0,
    };
    Stroke { color, width, dash: if is_validation || !has_validation { Dash::Solid } else { Dash::Dashed } }
}

/// Returns evenly spaced points of a line for markers, with a different offset for each line.
fn markers(line: &[(f64, f64)], number: usize, lines: usize) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> = line.iter().copied().filter(|point| point.1.is_finite()).collect();
    let apart = finite.len() as f64 / MARKERS as f64;
    if apart < 1.0 {
        return finite;
    }
    let first = apart * (0.15 + 0.7 * number as f64 / lines as f64);
    (0..MARKERS).map(|step| finite[((first + step as f64 * apart) as usize).min(finite.len() - 1)]).collect()
}
