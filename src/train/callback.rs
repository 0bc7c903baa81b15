//! Reports of training: each epoch as it ends, and the result of each replica.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::history::Status;
use crate::history::curves::Curves;
use crate::train::state::epoch_counter::EpochCounter;
use crate::train::state::timing::Timing;

/// Receives reports during training, like a Keras callback.
pub trait Callback {
    /// Returns the receiver of the reports that this one does not handle, if there is one.
    fn inner(&mut self) -> Option<&mut dyn Callback> {
        None
    }

    /// Called at the end of each epoch.
    fn epoch(&mut self, report: &EpochReport) {
        self.inner().into_iter().for_each(|inner| inner.epoch(report));
    }

    /// Returns the counter of epochs that the next stack's training advances in each step. Another thread may read it.
    fn epoch_counter(&mut self) -> Arc<EpochCounter> {
        self.inner().map(|inner| inner.epoch_counter()).unwrap_or_default()
    }

    /// Called when something differs from what was requested, with a message for the user.
    fn note(&mut self, text: &str) {
        self.inner().into_iter().for_each(|inner| inner.note(text));
    }

    /// Called with a fact about the data that the user may want to know.
    fn fact(&mut self, text: &str) {
        self.inner().into_iter().for_each(|inner| inner.fact(text));
    }

    /// Called at the end of training with the time spent in each phase.
    fn phases(&mut self, phases: &Timing) {
        self.inner().into_iter().for_each(|inner| inner.phases(phases));
    }
}

/// Ignores all reports.
impl Callback for () {}

/// Report of one epoch of all replicas.
#[derive(Clone, Debug)]
pub struct EpochReport {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Total number of epochs.
    pub epochs: usize,
    /// Name of each metric, with a value for each replica.
    pub metrics: Vec<(String, Vec<f64>)>,
    /// Duration in seconds.
    pub seconds: f64,
    /// Whether each replica trained in this epoch.
    pub trained: Vec<bool>,
    /// Whether each replica continues to train.
    pub training: Vec<bool>,
}

/// Result of training one replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicaResult {
    /// How training ended.
    pub status: Status,
    /// Metrics by epoch.
    pub curves: Curves,
    /// Epoch with the best value of the monitored metric, from 1.
    pub best_epoch: Option<usize>,
}
