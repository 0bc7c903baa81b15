//! Titles, notes and the axis of the metric that the plots of a sweep share.

use anyhow::{anyhow, ensure};

use crate::compare::metric_name::metric_of;
use crate::config::hint::Hint;
use crate::experiment::spec::seeds;
use crate::plot::charts::metric_labels::{capital, count, unit, value};
use crate::plot::charts::strip_plot::heading;
use crate::plot::draw::axis::{Axis, range};
use crate::plot::draw::page::Page;
use crate::sweep::results::Overview;
use crate::sweep::results::setting_column::DECADES;

/// Returns the metric in words: `Validation loss in the best epoch`.
pub(super) fn metric_title(overview: &Overview) -> String {
    capital(&heading(&overview.metric))
}

/// Returns the page of a plot, with the best configuration as its description.
pub(super) fn page(overview: &Overview, what: &str) -> Page {
    let record = overview.record;
    let configurations = count(overview.ranking.results.len(), "configuration");
    let direction = if overview.higher_is_better { "higher is better" } else { "lower is better" };
    let seed = if record.seeds.len() == 1 { "seed" } else { "seeds" };
    let subtitle = format!("{configurations} · {seed} {} · {direction}", seeds::format(&record.seeds));
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

/// Returns an error if no configuration has all of its trials.
pub(super) fn check_results(overview: &Overview) -> anyhow::Result<()> {
    ensure!(
        overview.means().next().is_some(),
        anyhow!("no configuration of this sweep has all of its trials")
            .context(Hint("see `runner sweep status DIR`".to_owned()))
    );
    Ok(())
}

/// Returns an axis for these values of the metric: logarithmic if they span decades.
pub(super) fn metric_axis(overview: &Overview, values: &[f64]) -> Axis {
    let metric = metric_of(&overview.metric);
    let (low, high) = range(values.iter().copied()).unwrap_or((0.0, 1.0));
    let log = if low > 0.0 && high / low >= DECADES { Axis::log(metric, [low, high]) } else { None };
    log.unwrap_or_else(|| Axis::with_margins(metric, unit(metric), [low, high]))
}
