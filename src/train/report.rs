//! What training reports: each epoch as it ends, and how the training of each replica went.

use serde::{Deserialize, Serialize};

use crate::history::Status;
use crate::history::curves::Curves;
use crate::train::state::timing::Timing;

/// Told of each epoch as it ends.
pub trait Watch {
    /// An epoch has ended.
    fn epoch(&mut self, report: &EpochReport);

    /// Something is done otherwise than was asked for or than it began.
    fn note(&mut self, _text: &str) {}

    /// Training has ended: where its time has gone.
    fn phases(&mut self, _phases: &Timing) {}
}

/// Says nothing.
impl Watch for () {
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// One epoch of every replica.
#[derive(Clone, Debug)]
pub struct EpochReport {
    /// Its number, from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Each metric's name and its value for each replica.
    pub metrics: Vec<(String, Vec<f64>)>,
    /// How long it took.
    pub seconds: f64,
    /// Which replicas had a part in it.
    pub trained: Vec<bool>,
    /// Which go on.
    pub training: Vec<bool>,
}

/// How the training of one replica went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Its metrics by epoch.
    pub curves: Curves,
    /// The epoch with the best monitored metric, from 1.
    pub best_epoch: Option<usize>,
}
