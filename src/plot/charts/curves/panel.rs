//! The panels of a metric: lines, bands and markers of learning curves.

use crate::compare::group::Group;
use crate::compare::trial;
use crate::plot::charts::curves::Options;
use crate::plot::charts::curves::series::{self, Series, Spread};
use crate::plot::charts::metric_names::{self, capital};
use crate::plot::draw::axis::{Axis, range};
use crate::plot::draw::color::{BLUE, Color, GHOST, INK, QUIET, VERMILION};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::panel::{Flag, Layer, Panel};
use crate::plot::draw::shape::{Dash, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::plot::draw::turning;

/// How groups share panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One group has all to itself.
    Lone,
    /// Several lie upon each other, in colors.
    Overlaid,
    /// Many have a panel each, with the others in grey behind.
    Multiples,
}

impl Layout {
    /// The layout for so many groups.
    pub fn of(groups: usize) -> Layout {
        match groups {
            0 | 1 => Layout::Lone,
            2..=MOST_OVERLAID => Layout::Overlaid,
            _ => Layout::Multiples,
        }
    }
}

/// What was drawn, and so belongs into the legend, and what is to be told.
#[derive(Clone, Debug, Default)]
pub struct Used {
    pub(crate) training: bool,
    pub(crate) validation: bool,
    pub(crate) bands: bool,
    pub(crate) best: bool,
    pub(crate) onset: bool,
    pub(crate) broken: bool,
    /// Curves that have no finite value: `loss of large_weights`.
    pub(crate) empty: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// There are so many colors.
const MOST_OVERLAID: usize = 7;

/// With more groups, bands would cover each other.
const MOST_WITH_BANDS: usize = 4;

/// Along a line, so many markers.
const MARKERS: usize = 6;

/// So many times the middle one of all first values is reached where curves explode.
const EXPLOSION: f64 = 30.0;

/// The curves of a group.
struct Pair<'a> {
    group: &'a Group,
    number: usize,
    training: Option<Series>,
    validation: Option<Series>,
}

impl Pair<'_> {
    /// The curve that is looked at first: of validation rows, where there is one.
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

/// The panels of a metric: one, or one for each group; none where no group has it.
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

    /// Around all curves and bands; a log axis where one is wanted, or where curves explode.
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

    /// Whether curves reach values far above those that they begin with, and all are above zero.
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

    /// Draws the curves of the other groups in grey.
    fn behind(&self, panel: &mut Panel, pair: &Pair) {
        let others = self.pairs.iter().filter(|other| other.number != pair.number).filter_map(Pair::main);
        panel.layers.extend(others.map(|series| Layer::Line(series.line(), Stroke::solid(GHOST, 1.0))));
    }

    /// Marks the best epoch, and where overfitting begins: of a lone group across the panel, of others on their curves.
    fn turnings(&mut self, panel: &mut Panel, pair: &Pair) {
        let Some(curve) = pair.main() else { return };
        let x = self.options.x;
        // a curve that ends before has nothing to be marked there
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

/// The axis along which epochs, steps or seconds go by; the latter begin at none.
pub fn along(axis: trial::Axis, values: impl Iterator<Item = f64>) -> Axis {
    match axis {
        trial::Axis::Epoch => Axis::along("epoch", Unit::Whole, values),
        trial::Axis::Step => Axis::along("step", Unit::Whole, values.chain([0.0])),
        trial::Axis::Seconds => Axis::along("seconds", Unit::Plain, values.chain([0.0])),
    }
}

/// How a curve is drawn: colors tell groups apart where they lie upon each other, otherwise training and validation.
/// Training is dashed where there is validation beside it.
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

/// Some points of a line, evenly apart, and others than those of other lines.
fn markers(line: &[(f64, f64)], number: usize, lines: usize) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> = line.iter().copied().filter(|point| point.1.is_finite()).collect();
    let apart = finite.len() as f64 / MARKERS as f64;
    if apart < 1.0 {
        return finite;
    }
    let first = apart * (0.15 + 0.7 * number as f64 / lines as f64);
    (0..MARKERS).map(|step| finite[((first + step as f64 * apart) as usize).min(finite.len() - 1)]).collect()
}
