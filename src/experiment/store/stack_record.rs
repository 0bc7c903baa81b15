//! The stacks of a run in its record: their trials, and how far they have come.

use serde::{Deserialize, Serialize};

use crate::history::History;

/// Variants that share their data, and the stacks that their trials are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// SHA-256 over the data set's files.
    pub data: String,
    /// In the order in which they are trained.
    pub stacks: Vec<StackRecord>,
}

/// Trials that are trained in step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRecord {
    /// How far it has come.
    pub state: StackState,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The trials in their order.
    pub trials: Vec<TrialName>,
}

/// How far a stack has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackState {
    /// It has not ended; there may be a checkpoint of it.
    Waiting,
    /// All its trials have ended, and their histories are written.
    Done,
    /// It could not be trained.
    Failed,
}

/// A trial of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrialName {
    /// Its variant.
    pub variant: String,
    /// Its fold, in cross-validation.
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
