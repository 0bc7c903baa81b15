//! The best trial of a run, by the metric that its training monitored.

use std::path::Path;

use serde_json::Value;

use crate::compare::direction::higher_is_better;
use crate::experiment::store::find::SavedTrial;
use crate::history::{History, Status};
use crate::io::bounded_file;
use crate::metrics::script::remember_metrics_of;

/// The best of several trials.
#[derive(Debug)]
pub struct BestTrial<'a> {
    /// The trial.
    pub trial: &'a SavedTrial,
    /// The metric and its value; `None` if the trials have no common metric to choose by. Then it is the first trial that
    /// did not diverge.
    pub by: Option<(String, f64)>,
}

/// Returns the trial whose best epoch has the best value of the monitored metric: a metric of validation rows, if there are
/// any. Diverged trials count only if all diverged; of equal trials it is the first. `None` without trials.
pub fn best_of<'a>(trials: impl IntoIterator<Item = &'a SavedTrial> + Clone) -> Option<BestTrial<'a>> {
    let usable = || trials.clone().into_iter().filter(|trial| trial.history.status != Status::Diverged);
    let first = usable().next().or_else(|| trials.clone().into_iter().next())?;
    let unknown = BestTrial { trial: first, by: None };
    let Some((metric, _)) = monitored(&first.history) else { return Some(unknown) };
    let Some(higher) = higher_is_better(&metric) else { return Some(unknown) };
    let mut best: Option<(&SavedTrial, f64)> = None;
    for trial in usable() {
        let Some((name, value)) = monitored(&trial.history) else { continue };
        if name != metric {
            return Some(unknown);
        }
        if best.is_none_or(|(_, best)| if higher { value > best } else { value < best }) {
            best = Some((trial, value));
        }
    }
    Some(best.map_or(unknown, |(trial, value)| BestTrial { trial, by: Some((metric, value)) }))
}

/// Returns the monitored metric of a trial and its value in the best epoch; for a tree, its first metric of validation
/// rows. `None` if there is none, or it is not finite.
fn monitored(history: &History) -> Option<(String, f64)> {
    let (name, value) = match &history.best {
        Some(best) => (best.monitor.clone(), best.metrics.get(&best.monitor)?.0),
        None => {
            let name = history.history.series.keys().find(|name| name.starts_with("val_"))?;
            (name.clone(), history.history.at(*history.history.epoch.last()?, name)?)
        }
    };
    value.is_finite().then_some((name, value))
}

/// Returns the metric that the experiment of the run in this directory states as `monitor` for all variants; `None` if it states
/// none, or cannot be read. Remembers its metrics written in PyTorch, so that their directions are known.
pub fn stated_monitor(folder: &Path) -> Option<String> {
    let text = bounded_file::read_to_string(&folder.join("experiment.toml"), bounded_file::EXPERIMENT).ok()?;
    let experiment: Value = toml_edit::de::from_str(&text).ok()?;
    remember_metrics_of(&experiment);
    Some(experiment.get("train")?.get("monitor")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_of_a_monitored_metric_written_in_pytorch_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let metric = "{ torchscript = \"m.pt\", name = \"closeness\", higher_is_better = true }";
        let text = format!("[train]\nmonitor = \"val_closeness\"\nmetrics = [{metric}]\n");
        std::fs::write(folder.path().join("experiment.toml"), text).unwrap();
        assert_eq!(higher_is_better("val_closeness"), None);
        assert_eq!(stated_monitor(folder.path()).as_deref(), Some("val_closeness"));
        assert_eq!(higher_is_better("val_closeness"), Some(true));
    }
}
