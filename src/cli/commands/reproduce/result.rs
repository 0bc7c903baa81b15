//! How a run that was made again came out.

use std::path::PathBuf;

use crate::experiment::verify::reproduction::{Outcome, Stored};
use crate::history::difference::Otherwise;

/// How a run that was made again came out.
pub(crate) struct Made<'a> {
    pub(crate) stored: &'a Stored,
    /// The trials by name, in order; `None` for one that was not trained again.
    pub(crate) trials: Vec<(String, Option<Outcome>)>,
    /// Where the new run is kept.
    pub(crate) kept: Option<PathBuf>,
}

impl Made<'_> {
    /// What has come of the trials that were made again.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.trials.iter().filter_map(|(stem, outcome)| Some((stem.as_str(), outcome.as_ref()?)))
    }

    /// Whether all trials came out the same; `None` where nothing differs, and not everything could be compared.
    pub(crate) fn is_identical(&self) -> Option<bool> {
        let each = || self.trials.iter().map(|(_, outcome)| outcome.as_ref().and_then(Outcome::is_identical));
        match each().any(|identical| identical == Some(false)) {
            true => Some(false),
            false if !self.stored.damaged.is_empty() => None,
            false => each().all(|identical| identical == Some(true)).then_some(true),
        }
    }

    /// What was otherwise in any of them, each once.
    pub(crate) fn otherwise(&self) -> Vec<&Otherwise> {
        let mut all: Vec<&Otherwise> = Vec::new();
        for otherwise in self.outcomes().flat_map(|(_, outcome)| &outcome.otherwise) {
            if !all.contains(&otherwise) {
                all.push(otherwise);
            }
        }
        all
    }

    /// What may have been otherwise, and cannot be told.
    pub(crate) fn unseen(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.outcomes().flat_map(|(_, o)| &o.unseen).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
