//! Panels of learning curves for one metric: lines, bands and markers.

use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::trial;
use crate::plot::charts::curves::options::{Limits, Options, Smoothing};
use crate::plot::charts::curves::series::{self, Series, Spread};
use crate::plot::charts::epoch_marks;
use crate::plot::charts::metric_labels;
use crate::plot::draw::axis::{Axis, Scale, range};
use crate::plot::draw::color::{BLUE, Color, GHOST, INK, QUIET, VERMILION};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::panel::{Artist, Panel, TopLabel};
use crate::plot::draw::shape::{LineStyle, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::views::capital::capital;

/// Arrangement of groups in panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One group in one panel.
    Single,
    /// Several groups in one panel, in different colors.
    Overlaid,
    /// One panel per group, with the other groups in gray behind.
    Multiples,
}

impl Layout {
    /// Returns the layout for this number of groups.
    pub fn new(groups: usize) -> Layout {
        match groups {
            0 | 1 => Layout::Single,
            2..=MOST_OVERLAID => Layout::Overlaid,
            _ => Layout::Multiples,
        }
    }
}

/// Elements that were drawn and need legend entries, and notes.
#[derive(Clone, Debug, Default)]
pub struct UsedElements {
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
const MARKERS_PER_LINE: usize = 6;

/// Curves explode if they exceed the median of all first values by this factor.
const EXPLOSION_FACTOR: f64 = 30.0;

/// The training and validation curves of a group.
struct Pair<'a> {
    group: &'a Group,
    number: usize,
    training: Option<Series>,
    validation: Option<Series>,
    /// The unsmoothed curves, with whether each is a validation curve; none without smoothing.
    raw: Vec<(Series, bool)>,
}

impl Pair<'_> {
    /// Replaces the curves by smoothed ones, and keeps the raw ones.
    fn smooth(&mut self, smoothing: Smoothing) {
        for (series, is_validation) in [(&mut self.training, false), (&mut self.validation, true)] {
            if let Some(series) = series {
                let smoothed = series.smoothed(smoothing);
                self.raw.push((std::mem::replace(series, smoothed), is_validation));
            }
        }
    }

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
pub fn panels(
    groups: &[&Group],
    metric: &str,
    layout: Layout,
    options: &Options,
    used: &mut UsedElements,
) -> Vec<Panel> {
    let of = |group: &Group, name: &str| series::from_group(group, name, options.x);
    let is_pair = metric_labels::base(metric) == metric;
    let pair = |(number, group): (usize, &&'_ Group)| {
        let validation = of(group, &if is_pair { metric_labels::validation(metric) } else { metric.to_owned() });
        let training = if is_pair { of(group, metric) } else { None };
        (number, validation, training)
    };
    let pairs = groups.iter().enumerate().map(|numbered| {
        let (number, validation, training) = pair(numbered);
        let mut pair = Pair { group: numbered.1, number, training, validation, raw: Vec::new() };
        options.smooth.into_iter().for_each(|smoothing| pair.smooth(smoothing));
        pair
    });
    let (pairs, empty): (Vec<Pair>, Vec<Pair>) = pairs.filter(|pair| pair.main().is_some()).partition(Pair::has_finite);
    for Pair { group, .. } in empty {
        used.empty.push(format!("{} of {}", metric_labels::words(metric), group.label));
    }
    if pairs.is_empty() && used.empty.is_empty() {
        return Vec::new();
    }
    let mut draw = PanelBuilder { pairs: &pairs, layout, options, used };
    let all = || {
        pairs.iter().flat_map(|pair| {
            let raw = pair.raw.iter().map(|(series, _)| series);
            pair.each().map(|(series, _)| series).chain(raw)
        })
    };
    let x = along(options.x, all().flat_map(|series| &series.points).map(|spread| spread.x));
    let y = draw.y_axis(metric, all());
    let title = capital(&metric_labels::words(metric));
    match layout {
        Layout::Single | Layout::Overlaid => {
            let mut panel = Panel::new(title, x, y);
            pairs.iter().for_each(|pair| draw.curves(&mut panel, pair));
            pairs.iter().for_each(|pair| draw.mark_epochs(&mut panel, pair));
            vec![panel]
        }
        Layout::Multiples => {
            let named = |pair: &Pair| match options.metrics.len() {
                0 | 1 => pair.group.label.clone(),
                _ => format!("{}: {}", pair.group.label, metric_labels::words(metric)),
            };
            let of_one = |pair: &Pair| {
                let mut panel = Panel::untitled(x.clone(), y.clone());
                panel.title = named(pair);
                draw.draw_other_groups(&mut panel, pair);
                draw.curves(&mut panel, pair);
                draw.mark_epochs(&mut panel, pair);
                panel
            };
            pairs.iter().map(of_one).collect()
        }
    }
}

struct PanelBuilder<'a> {
    pairs: &'a [Pair<'a>],
    layout: Layout,
    options: &'a Options,
    used: &'a mut UsedElements,
}

impl PanelBuilder<'_> {
    fn has_validation(&self) -> bool {
        self.pairs.iter().any(|pair| pair.validation.is_some())
    }

    fn has_bands(&self) -> bool {
        self.layout != Layout::Overlaid || self.pairs.len() <= MOST_WITH_BANDS
    }

    /// Returns an axis around all curves and bands; logarithmic if requested or if curves explode.
    fn y_axis<'s>(&mut self, metric: &str, series: impl Iterator<Item = &'s Series>) -> Axis {
        let mut values: Vec<f64> = Vec::new();
        for one in series {
            values.extend(one.points.iter().map(|spread| spread.mean));
            let band = if self.has_bands() { one.band() } else { Vec::new() };
            values.extend(band.into_iter().flat_map(|(_, low, high)| [low, high]).filter(|end| end.is_finite()));
        }
        // a metric that starts near 0 and rises has not exploded
        let may_explode = higher_is_better(metric) != Some(true);
        let is_log = self.options.log || (may_explode && self.options.ylim.is_none() && self.curves_explode());
        if let Some(Limits { low, high }) = self.options.ylim {
            let linear = Axis::linear(metric, metric_labels::unit(metric), low, high);
            return if is_log { Axis { scale: Scale::Log, unit: Unit::Plain, ..linear } } else { linear };
        }
        let log = if is_log { Axis::log(metric, values.iter().copied()) } else { None };
        if self.options.log && log.is_none() {
            self.used
                .notes
                .push(format!("{} has no positive values: its axis is linear", metric_labels::words(metric)));
        }
        log.unwrap_or_else(|| Axis::with_margins(metric, metric_labels::unit(metric), values))
    }

    /// Returns whether curves reach values far above their first ones, while all values are positive.
    fn curves_explode(&self) -> bool {
        let all = || self.pairs.iter().flat_map(Pair::each).map(|(series, _)| &series.points);
        let finite = |points: &Vec<Spread>| -> Vec<f64> {
            points.iter().map(|spread| spread.mean).filter(|mean| mean.is_finite()).collect()
        };
        let mut firsts: Vec<f64> = all().filter_map(|points| finite(points).first().copied()).collect();
        firsts.sort_by(f64::total_cmp);
        let Some(first) = firsts.len().checked_sub(1).map(|last| firsts[last / 2]) else { return false };
        match range(all().flat_map(finite)) {
            Some((least, most)) => least > 0.0 && most > EXPLOSION_FACTOR * first,
            None => false,
        }
    }

    /// Draws the curves of a group with their bands.
    fn curves(&mut self, panel: &mut Panel, pair: &Pair) {
        let is_overlaid = self.layout == Layout::Overlaid;
        for (series, is_validation) in &pair.raw {
            let Stroke { color, .. } = stroke(self.layout, pair.number, *is_validation, self.has_validation());
            panel.artists.push(Artist::Line(series.line(), Stroke::solid(color.lighter(0.62), 1.0)));
        }
        for (series, is_validation) in pair.each() {
            let stroke = stroke(self.layout, pair.number, is_validation, self.has_validation());
            let is_main = is_validation || pair.validation.is_none();
            if series.has_band() && self.has_bands() && (is_main || !is_overlaid) {
                panel.artists.insert(0, Artist::Band(series.band(), stroke.color));
                self.used.bands = true;
            }
            panel.artists.push(Artist::Line(series.line(), stroke));
            if is_overlaid {
                let shown = markers(&series.line(), pair.number, self.pairs.len());
                let (marker, radius) = (Marker::nth(pair.number), if is_main { 3.6 } else { 2.2 });
                panel.artists.extend(shown.into_iter().map(|at| Artist::Marker(at, marker, radius, stroke.color)));
            }
            panel.artists.extend(series.broken.iter().map(|at| Artist::Cross(*at, stroke.color)));
            self.used.broken |= !series.broken.is_empty();
            *if is_validation { &mut self.used.validation } else { &mut self.used.training } = true;
        }
    }

    /// Draws the curves of the other groups in gray.
    fn draw_other_groups(&self, panel: &mut Panel, pair: &Pair) {
        let others = self.pairs.iter().filter(|other| other.number != pair.number).filter_map(Pair::main);
        panel.artists.extend(others.map(|series| Artist::Line(series.line(), Stroke::solid(GHOST, 1.0))));
    }

    /// Marks the best epoch and the start of overfitting: for a single group across the panel, for several groups on
    /// their curves.
    fn mark_epochs(&mut self, panel: &mut Panel, pair: &Pair) {
        let Some(curve) = pair.main() else { return };
        let x = self.options.x;
        // skip marks beyond the end of the curve
        let reached = |mark: &epoch_marks::EpochMark| curve.points.last().is_some_and(|last| last.x >= mark.x);
        if let Some(best) = epoch_marks::best_epoch(pair.group, x).filter(reached) {
            if self.layout == Layout::Single {
                let stroke = Stroke { color: QUIET, width: 1.0, line_style: LineStyle::Dotted };
                panel.artists.insert(0, Artist::VerticalLine(best.x, stroke));
                panel.top_labels.push(TopLabel {
                    x: best.x,
                    text: format!("best epoch {}", best.median),
                    is_left: true,
                });
            }
            panel.artists.extend(curve.nearest(best.x).map(|at| Artist::Ring(at, INK)));
            self.used.best = true;
        }
        let most_do = |onset: &epoch_marks::EpochMark| 2 * onset.epochs.len() > pair.group.trials.len();
        if let Some(onset) = epoch_marks::overfitting_onset(pair.group, x).filter(reached).filter(most_do) {
            if self.layout == Layout::Single {
                panel.artists.insert(0, Artist::Span(onset.x, panel.x.to));
                panel.top_labels.push(TopLabel {
                    x: onset.x,
                    text: format!("overfits from {}", onset.median),
                    is_left: false,
                });
            } else {
                panel.artists.extend(curve.nearest(onset.x).map(|at| Artist::VerticalTick(at, INK)));
            }
            self.used.onset = true;
        }
    }
}

/// Returns the axis for epochs, steps or seconds; steps and seconds start at 0.
pub fn along(axis: trial::Axis, values: impl Iterator<Item = f64>) -> Axis {
    match axis {
        trial::Axis::Epoch => Axis::exact("epoch", Unit::Whole, values),
        trial::Axis::Step => Axis::exact("step", Unit::Whole, values.chain([0.0])),
        trial::Axis::Seconds => Axis::exact("seconds", Unit::Plain, values.chain([0.0])),
    }
}

/// Returns the line style of a curve. Colors distinguish groups if they share a panel, otherwise training and
/// validation. Training curves are dashed if there are validation curves.
pub fn stroke(layout: Layout, number: usize, is_validation: bool, has_validation: bool) -> Stroke {
    let color = match layout {
        Layout::Overlaid => Color::nth(number),
        Layout::Single | Layout::Multiples if is_validation => VERMILION,
        Layout::Single | Layout::Multiples => BLUE,
    };
    let width = match layout {
        Layout::Overlaid if !is_validation && has_validation => 1.3,
        Layout::Multiples => 1.8,
        Layout::Single | Layout::Overlaid => 2.0,
    };
    Stroke {
        color,
        width,
        line_style: if is_validation || !has_validation { LineStyle::Solid } else { LineStyle::Dashed },
    }
}

/// Returns evenly spaced points of a line for markers, with a different offset for each line.
fn markers(line: &[(f64, f64)], number: usize, lines: usize) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> = line.iter().copied().filter(|point| point.1.is_finite()).collect();
    let spread_out = finite.len() as f64 / MARKERS_PER_LINE as f64;
    if spread_out < 1.0 {
        return finite;
    }
    let first = spread_out * (0.15 + 0.7 * number as f64 / lines as f64);
    (0..MARKERS_PER_LINE)
        .map(|step| finite[((first + step as f64 * spread_out) as usize).min(finite.len() - 1)])
        .collect()
}
