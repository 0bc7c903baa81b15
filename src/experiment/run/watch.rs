//! What a run tells of itself while it goes on.

use tch::Device;

use crate::data::store::fetch;
use crate::experiment::plan::Plan;
use crate::history::RowCounts;
use crate::history::positive::PositiveClass;
use crate::history::resampling::ResampleRecord;
use crate::train::report;

/// Told what a run is doing.
pub trait Watch: fetch::Watch + report::Watch {
    /// A stack of trials starts; its plans, one or more, are variants of one experiment.
    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo);
}

/// A stack of trials that train in step.
#[derive(Clone, Debug)]
pub struct StackInfo {
    /// How many replicas it has.
    pub replicas: usize,
    /// The seeds in it, each once.
    pub seeds: Vec<i64>,
    /// The place of each replica's variant among those that are trained in it.
    pub variants: Vec<usize>,
    /// How many folds are in it; `None` without cross-validation.
    pub folds: Option<usize>,
    /// How many rows each has.
    pub rows: RowCounts,
    /// How rows were resampled, where they were.
    pub resampled: Option<ResampleRecord>,
    /// The positive class, of two.
    pub positive: Option<PositiveClass>,
    /// Where it is.
    pub device: Device,
    /// How many CPU threads it uses.
    pub threads: usize,
}
