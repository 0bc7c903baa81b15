//! What the process of a run and its workers write to each other: lines of JSON.

use std::path::PathBuf;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use crate::config::hint::{Hint, with_hint};
use crate::experiment::store::stack_record::TrialName;

/// First argument of a worker process. It is no command for users, so clap does not know it.
pub const COMMAND: &str = "train-stacks-of-run";

/// An order to a worker. The first one is `start`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Which run it is.
    Start {
        /// The run directory.
        run: PathBuf,
        /// Directory of the runs that pretrained weights are from.
        runs: PathBuf,
        /// Device of the tensors, as in `--device`.
        device: String,
        /// Maximum number of CPU threads.
        threads: usize,
        /// When checkpoints are written, as in `--checkpoint`.
        checkpoint: String,
        /// Directory of the run's event files, if there are some.
        tensorboard: Option<PathBuf>,
        /// Whether a stack that runs out of memory is trained in smaller ones.
        narrows: bool,
    },
    /// It trains a stack.
    Train {
        /// Number of the group.
        group: usize,
        /// Trials of the stack.
        trials: Vec<TrialName>,
    },
    /// It saves a checkpoint.
    SaveCheckpoint,
    /// It saves a checkpoint and leaves.
    Stop,
    /// The time limit of the run is over.
    EndTime,
}

/// A report of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// A warning about its stack.
    Note(String),
    /// Its stack has ended.
    Ended {
        /// Errors of trials.
        failures: Vec<ErrorRecord>,
        /// Whether it was stopped before its end.
        is_stopped: bool,
        /// Epoch of the checkpoint that it has left.
        checkpoint: Option<usize>,
    },
}

/// An error with its causes and its hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The message, and those of its causes.
    lines: Vec<String>,
    hint: Option<String>,
}

impl ErrorRecord {
    /// Returns the record of an error.
    pub fn new(error: &anyhow::Error) -> ErrorRecord {
        let hint = error.downcast_ref::<Hint>().map(|hint| hint.0.clone());
        let lines = error.chain().map(ToString::to_string).filter(|line| Some(line) != hint.as_ref()).collect();
        ErrorRecord { lines, hint }
    }

    /// Returns the error.
    pub fn into_error(self) -> anyhow::Error {
        let mut lines = self.lines.into_iter().rev();
        let root = anyhow!(lines.next().unwrap_or_default());
        with_hint(lines.fold(root, anyhow::Error::context), self.hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hint::in_a_line;

    #[test]
    fn an_error_keeps_its_causes_and_its_hint() {
        let error = anyhow!("no room").context("failed to write").context(Hint("free it".to_owned()));
        let record = ErrorRecord::new(&error);
        let again = record.clone().into_error();
        assert_eq!(in_a_line(&again), "failed to write: no room");
        assert_eq!(again.downcast_ref::<Hint>().unwrap().0, "free it");
        assert_eq!(ErrorRecord::new(&again), record);
        let text = serde_json::to_string(&Report::Ended { failures: vec![record], is_stopped: true, checkpoint: None });
        assert!(matches!(serde_json::from_str(&text.unwrap()).unwrap(), Report::Ended { is_stopped: true, .. }));
    }
}
