//! Where the trials of a run are trained and written.

use std::cell::{Cell, RefCell};

use tch::Device;
use time::OffsetDateTime;

use crate::experiment::run::checkpointing::{CheckpointInterval, RunCheckpoint};
use crate::experiment::store::run_state::RunState;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;

/// Where trials are trained and written.
#[derive(Debug)]
pub struct RunContext<'a> {
    /// The run directory.
    pub folder: &'a RunDir,
    /// The run record.
    pub run_state: &'a RunState<'a>,
    /// Device of the tensors.
    pub device: Device,
    /// Maximum number of CPU threads per stack.
    pub threads: usize,
    /// Maximum number of replicas per stack; `None` chooses it by memory.
    pub stack: Option<usize>,
    /// Whether a stack that runs out of memory is trained in smaller ones.
    pub narrows: bool,
    /// Start time of the run.
    pub started: OffsetDateTime,
    /// Signals that the process received.
    pub signals: &'a Signals,
    /// When checkpoints are written.
    pub checkpoint_interval: CheckpointInterval,
    /// Checkpoint to resume from, until its stack takes it.
    pub resume_from: RefCell<Option<RunCheckpoint>>,
    /// Epoch of the checkpoint in the run directory, of the stack that was trained last.
    pub last_checkpoint: Cell<Option<usize>>,
}
