//! Result of training a run again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::experiment::verify::reproduction::{ReproducibleRun, TrialComparison};
use crate::history::difference::RunDifference;

/// Comparison of a run with the same run trained again.
pub(crate) struct Reproduction<'a> {
    /// The original run.
    pub(crate) stored: &'a ReproducibleRun,
    /// Name and comparison of each trial; `None` if it was not trained again.
    pub(crate) trials: Vec<(String, Option<TrialComparison>)>,
    /// Folder of the new run, if it is kept.
    pub(crate) kept: Option<PathBuf>,
}

impl Reproduction<'_> {
    /// Returns the trials that were trained again, with their comparison.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&str, &TrialComparison)> {
        self.trials.iter().filter_map(|(stem, outcome)| Some((stem.as_str(), outcome.as_ref()?)))
    }

    /// Returns whether all trials are identical; `None` if no difference was found, but not everything could be compared.
    pub(crate) fn is_identical(&self) -> Option<bool> {
        let each = || self.trials.iter().map(|(_, outcome)| outcome.as_ref().and_then(TrialComparison::is_identical));
        match each().any(|identical| identical == Some(false)) {
            true => Some(false),
            false if !self.stored.damaged.is_empty() => None,
            false => each().all(|identical| identical == Some(true)).then_some(true),
        }
    }

    /// Returns the changes of the environment, each once.
    pub(crate) fn changes(&self) -> Vec<&RunDifference> {
        let mut all: Vec<&RunDifference> = Vec::new();
        for change in self.outcomes().flat_map(|(_, outcome)| &outcome.otherwise) {
            if !all.contains(&change) {
                all.push(change);
            }
        }
        all
    }

    /// Returns what may have changed, but was not recorded.
    pub(crate) fn unknown_changes(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self.outcomes().flat_map(|(_, o)| &o.unseen).map(String::as_str).collect();
        all.into_iter().collect()
    }
}
