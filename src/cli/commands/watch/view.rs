//! What `runner watch` shows of a run or a sweep, as plain data.

use indexmap::{IndexMap, IndexSet};

use crate::compare::metric_name::is_metric;
use crate::history::curves::Curves;

/// Maximum number of metrics in a row of the table.
const METRICS_IN_ROW: usize = 4;

/// A run or a sweep that is watched.
pub trait Model {
    /// Reads what is new, and returns what is shown.
    fn refresh(&mut self) -> View;
}

/// State of a run or a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A process trains it.
    Training,
    /// All trials have ended.
    Finished,
    /// No process trains it, and trials are left.
    Interrupted,
    /// No process trains it, and trials have failed.
    Failed,
    /// Its directory was removed.
    Deleted,
}

impl State {
    /// Returns the state as a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Training => "running",
            State::Finished => "complete",
            State::Interrupted => "interrupted",
            State::Failed => "failed",
            State::Deleted => "deleted",
        }
    }
}

/// What is shown.
#[derive(Clone, Debug)]
pub struct View {
    /// The experiment.
    pub name: String,
    /// Which of its runs or sweeps it is, and what it consists of.
    pub facts: Vec<String>,
    /// The state.
    pub state: State,
    /// Part of the work that is done, from 0 to 1.
    pub share: f64,
    /// The same in words: `epoch 34/100`.
    pub progress: String,
    /// Estimated seconds to the end.
    pub left: Option<f64>,
    /// The best result so far, or what to do.
    pub notes: Vec<String>,
    /// The metric that is shown first, with its values as text.
    pub main_metric: Option<String>,
    /// The metrics that can be shown.
    pub metrics: Vec<Metric>,
    /// Names of the columns of the table, and the indices of those with numbers.
    pub columns: (Vec<String>, Vec<usize>),
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl View {
    /// Returns the index of the metric that is shown first.
    pub fn first_metric(&self) -> usize {
        let Some(wanted) = self.main_metric.as_deref() else { return 0 };
        let place = |is_it: &dyn Fn(&str) -> bool| self.metrics.iter().position(|metric| is_it(&metric.name));
        place(&|name| name == wanted).or_else(|| place(&|name| of_validation(name) == wanted)).unwrap_or(0)
    }
}

/// A metric over the epochs.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its curves, the most important first.
    pub curves: Vec<Curve>,
}

/// A curve: the mean over trials, with their range.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What it shows.
    pub label: String,
    /// Its points, by epoch.
    pub points: Vec<Point>,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The epoch.
    pub epoch: f64,
    /// Mean over the trials.
    pub mean: f64,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
}

/// Returns the curve of a metric over trials. Values that are not finite are left out.
pub fn curve(label: &str, trials: &[&Curves], metric: &str) -> Curve {
    let mut values: IndexMap<usize, Vec<f64>> = IndexMap::new();
    for trial in trials {
        let Some(series) = trial.series.get(metric) else { continue };
        for (epoch, value) in trial.epoch.iter().zip(series).filter(|(_, value)| value.0.is_finite()) {
            values.entry(*epoch).or_default().push(value.0);
        }
    }
    values.sort_unstable_keys();
    let point = |(epoch, values): (usize, Vec<f64>)| Point {
        epoch: epoch as f64,
        mean: values.iter().sum::<f64>() / values.len() as f64,
        low: values.iter().copied().fold(f64::INFINITY, f64::min),
        high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    };
    Curve { label: label.to_owned(), points: values.into_iter().map(point).collect() }
}

/// Returns the name of a metric of validation rows.
pub fn of_validation(metric: &str) -> String {
    format!("val_{metric}")
}

/// Returns the names of the metrics of trials, without times.
pub fn names_of_metrics<'a>(trials: impl Iterator<Item = &'a Curves>) -> Vec<String> {
    let names: IndexSet<&String> = trials.flat_map(|trial| trial.series.keys()).collect();
    names.into_iter().filter(|name| *name != "seconds").cloned().collect()
}

/// Returns the metrics in the table: all of a few, and of many the monitored one, then those of validation rows.
pub fn table_metrics<'a>(names: &'a [String], monitor: Option<&str>) -> Vec<&'a String> {
    let mut shown: Vec<&String> = names.iter().filter(|name| is_metric(name)).collect();
    if shown.len() > METRICS_IN_ROW {
        shown.sort_by_key(|name| (monitor != Some(name.as_str()), !name.starts_with("val_")));
        shown.truncate(METRICS_IN_ROW);
    }
    shown
}

/// Returns the value of a metric in the last epoch.
pub fn last(trial: &Curves, metric: &str) -> Option<f64> {
    trial.series.get(metric)?.last().map(|value| value.0)
}

/// Returns the mean duration of the last epochs in seconds.
pub fn seconds_per_epoch(trial: &Curves) -> Option<f64> {
    const LAST: usize = 10;
    let seconds = trial.series.get("seconds")?;
    let last = &seconds[seconds.len().saturating_sub(LAST)..];
    (!last.is_empty()).then(|| last.iter().map(|value| value.0).sum::<f64>() / last.len() as f64)
}
