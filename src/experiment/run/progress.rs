//! Progress of a run, for the command line to show.

use tch::Device;

use crate::data::store::fetch;
use crate::experiment::plan::Plan;
use crate::history::RowCounts;
use crate::history::positive_class::PositiveClass;
use crate::history::resampling::ResampleRecord;
use crate::train::callback;

/// Receives the progress of a run.
pub trait RunProgress: fetch::DownloadProgress + callback::Callback {
    /// A stack starts; its plans, one or more, are variants of one experiment.
    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo);
}

/// A stack: trials that are trained in step.
#[derive(Clone, Debug)]
pub struct StackInfo {
    /// Number of replicas.
    pub replicas: usize,
    /// Distinct seeds of its trials.
    pub seeds: Vec<i64>,
    /// For each replica, the index of its variant among the stack's plans.
    pub variants: Vec<usize>,
    /// Number of folds; `None` without cross-validation.
    pub folds: Option<usize>,
    /// Number of rows in each part.
    pub rows: RowCounts,
    /// How the training rows were resampled, if they were.
    pub resampled: Option<ResampleRecord>,
    /// The positive class of a binary target.
    pub positive: Option<PositiveClass>,
    /// Device of the tensors.
    pub device: Device,
    /// Number of CPU threads.
    pub threads: usize,
}
