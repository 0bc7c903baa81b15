//! Where the trials of a run are trained, and where they are written.

use std::cell::{Cell, RefCell};

use tch::Device;
use time::OffsetDateTime;

use crate::experiment::run::checkpointing::{Found, Pace};
use crate::experiment::store::run_state::RunState;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;

/// Where trials run, and where they are written.
#[derive(Debug)]
pub struct Place<'a> {
    /// The run's folder.
    pub folder: &'a RunDir,
    /// What is taken down of the run.
    pub ledger: &'a RunState<'a>,
    /// Where tensors live.
    pub device: Device,
    /// The most CPU threads that a stack may use.
    pub threads: usize,
    /// The most replicas of a stack; `None` where it is to be found.
    pub stack: Option<usize>,
    /// When the run started.
    pub started: OffsetDateTime,
    /// What is asked of the run from outside.
    pub requests: &'a Signals,
    /// How often checkpoints are written.
    pub pace: Pace,
    /// The checkpoint that the run goes on from, until its stack takes it.
    pub found: RefCell<Option<Found>>,
    /// The epoch of the checkpoint in the run's folder, of the stack that was trained last.
    pub checkpoint: Cell<Option<usize>>,
}
