//! Stacks in the run record: their trials and their state.

use serde::{Deserialize, Serialize};

use crate::history::History;

/// Variants that share their data, and the stacks of their trials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// SHA-256 over the data set's files.
    #[serde(rename = "data_sha256", alias = "data")]
    pub data: String,
    /// In training order.
    pub stacks: Vec<StackRecord>,
}

/// Trials that are trained in step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRecord {
    /// Its state.
    pub state: StackState,
    /// Why it failed, if it did.
    #[serde(default, rename = "error", alias = "fault", skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Its trials in order.
    pub trials: Vec<TrialName>,
}

/// State of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackState {
    /// Not finished; there may be a checkpoint.
    Waiting,
    /// Finished; all histories are written.
    Done,
    /// Training failed.
    Failed,
}

/// A trial of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrialName {
    /// Its variant.
    pub variant: String,
    /// Its fold, with cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Its seed.
    pub seed: i64,
}

impl TrialName {
    /// Name of its files, without extension.
    pub fn stem(&self) -> String {
        History::stem_of(&self.variant, self.seed, self.fold)
    }
}
