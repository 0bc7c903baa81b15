//! Options of a run, apart from its study.

use tch::Device;

use crate::data::store::cache::Cache;
use crate::device::compute_mode::ComputeMode;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run::progress::event_log::EventFiles;
use crate::experiment::run_options::RunOptions;
use crate::io::signals::Signals;

/// Options of a run, apart from its study.
#[derive(Debug)]
pub struct Options<'a> {
    /// Device of the tensors.
    pub device: Device,
    /// Maximum number of CPU threads.
    pub threads: usize,
    /// Maximum number of replicas per stack; `None` chooses it by memory.
    pub stack: Option<usize>,
    /// Whether a stack that runs out of memory is trained in smaller ones.
    pub narrows: bool,
    /// When checkpoints are written.
    pub checkpoint_interval: CheckpointInterval,
    /// Where TensorBoard event files are written, if they are.
    pub events: Option<&'a EventFiles>,
    /// Cache of data sets.
    pub cache: &'a Cache,
    /// Signals that the process received.
    pub signals: &'a Signals,
}

impl Options<'_> {
    /// Returns the options that affect the results, for the run record.
    pub fn record(&self) -> RunOptions {
        RunOptions::new(self.device, self.threads, self.stack, ComputeMode::current())
    }
}
