//! Titles, notes and the axis of the metric that the plots of a sweep share.

use crate::compare::metric_name::metric_of;
use crate::history::number::counted;
use crate::plot::charts::metric_labels::{unit, value};
use crate::plot::charts::strip_plot::heading;
use crate::plot::draw::axis::{Axis, Scale, range};
use crate::plot::draw::color::{Color, QUIET, VERMILION};
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::page::Page;
use crate::plot::draw::panel::Artist;
use crate::plot::draw::shape::Point;
use crate::sweep::results::Overview;
use crate::sweep::results::setting_column::DECADES;
use crate::views::capital::capital;

/// Color of dropped configurations.
const DROPPED: Color = QUIET;

/// Distance of the crosses from the end of the metric's axis, as a share of its length.
const EDGE: f64 = 0.03;

/// Returns the metric in words: `Validation loss in the best epoch`.
pub(super) fn metric_title(overview: &Overview) -> String {
    capital(&heading(&overview.metric))
}

/// Returns the page of a plot, with the best configuration as its description.
pub(super) fn page(overview: &Overview, what: &str) -> Page {
    let record = overview.record;
    let mut configurations = counted(overview.ranking.results.len(), "configuration");
    let dropped = overview.dropped().count();
    if dropped > 0 {
        configurations += &format!(", {dropped} dropped early");
    }
    let direction = if overview.higher_is_better { "higher is better" } else { "lower is better" };
    let seed = if record.seeds.len() == 1 && record.further_seeds.is_empty() { "seed" } else { "seeds" };
    let subtitle = format!("{configurations} · {seed} {} · {direction}", record.seeds_text());
    let best = overview.means().next().map(|(place, mean)| {
        let settings = overview.labels.describe(&overview.ranking.results[place].configuration.set);
        format!("Best: {} ({settings}).", value(metric_of(&overview.metric), mean))
    });
    Page {
        title: format!("{} – {what}", record.experiment),
        subtitle,
        description: format!("{}: {what}. {}", metric_title(overview), best.unwrap_or_default()),
        ..Page::default()
    }
}

/// Returns the value near the worst end of the metric's axis, where configurations without a value have their cross.
pub(super) fn worst_end(overview: &Overview, axis: &Axis) -> f64 {
    let (edge, other) = if overview.higher_is_better { (axis.from, axis.to) } else { (axis.to, axis.from) };
    match axis.scale {
        Scale::Log => edge * (other / edge).powf(EDGE),
        Scale::Linear => edge + EDGE * (other - edge),
    }
}

/// Returns the mark of a configuration without a value: the color says whether it was dropped, or diverged or failed.
pub(super) fn cross(at: Point, is_dropped: bool) -> Artist {
    Artist::Cross(at, if is_dropped { DROPPED } else { VERMILION })
}

/// Returns the keys of the crosses.
pub(super) fn cross_keys(overview: &Overview) -> Vec<Entry> {
    let dropped = overview.dropped().next().map(|_| Entry::new(Handle::Cross(DROPPED), "dropped early"));
    let failed = overview.failed().next().map(|_| Entry::new(Handle::Cross(VERMILION), "diverged or failed"));
    dropped.into_iter().chain(failed).collect()
}

/// Returns an axis for these values of the metric: logarithmic if they span decades.
pub(super) fn metric_axis(overview: &Overview, values: &[f64]) -> Axis {
    let metric = metric_of(&overview.metric);
    let (low, high) = range(values.iter().copied()).unwrap_or((0.0, 1.0));
    let log = if low > 0.0 && high / low >= DECADES { Axis::log(metric, [low, high]) } else { None };
    log.unwrap_or_else(|| Axis::with_margins(metric, unit(metric), [low, high]))
}
