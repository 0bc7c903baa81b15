//! Result of one configuration over its seeds and folds.

use crate::compare::statistics::sample::Sample;
use crate::history::Status;
use crate::sweep::dir::ended::{EndedTrial, Failure};
use crate::sweep::record::Configuration;

/// How a configuration ended, from the best outcome to the worst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of its trials have the metric.
    Done,
    /// Halving dropped it after this epoch.
    Dropped(usize),
    /// Some of its trials are not done yet.
    Unfinished,
    /// Some of its trials diverged, or lack the metric.
    Diverged(usize),
    /// Its stack failed.
    Failed(Failure),
}

/// Result of one configuration over its seeds and folds.
#[derive(Clone, Debug)]
pub struct ConfigurationResult<'a> {
    /// Name and settings.
    pub configuration: &'a Configuration,
    /// How it ended.
    pub outcome: Outcome,
    /// The metric over the trials that have it; `None` if none has.
    pub metric: Option<Sample>,
    /// Number of its trials that are done.
    pub done: usize,
    /// Number of epochs of its trials.
    pub epochs: usize,
}

impl ConfigurationResult<'_> {
    /// Returns the result of a configuration with these trials. `is_ended` says whether its stack has ended, and `failure`
    /// why it failed.
    pub fn new<'a>(
        configuration: &'a Configuration,
        trials: &[&EndedTrial],
        is_ended: bool,
        failure: Option<&Failure>,
    ) -> ConfigurationResult<'a> {
        let value = |trial: &&EndedTrial| {
            let value = trial.value.map(|value| value.0).filter(|value| value.is_finite());
            value.filter(|_| trial.status != Status::Diverged)
        };
        let values: Vec<f64> = trials.iter().filter_map(value).collect();
        let without = trials.len() - values.len();
        let dropped = trials.iter().filter(|trial| trial.status == Status::Dropped);
        let dropped_after = dropped.map(|trial| trial.epochs).max();
        let outcome = match failure {
            Some(failure) => Outcome::Failed(failure.clone()),
            None if !is_ended => Outcome::Unfinished,
            None if without > 0 || trials.is_empty() => Outcome::Diverged(without),
            None => dropped_after.map_or(Outcome::Done, Outcome::Dropped),
        };
        ConfigurationResult {
            configuration,
            outcome,
            metric: Sample::from_values(&values),
            done: trials.len(),
            epochs: trials.iter().map(|trial| trial.epochs).sum(),
        }
    }

    /// Mean of the metric over the trials that have it.
    pub fn mean(&self) -> Option<f64> {
        self.metric.as_ref().map(|metric| metric.mean)
    }
}
