//! Where the trials of a run are trained and written.

use std::cell::{Cell, RefCell};

use time::OffsetDateTime;

use crate::experiment::run::checkpointing::RunCheckpoint;
use crate::experiment::run::run_study::options::Options;
use crate::experiment::store::run_state::RunState;
use crate::run_dir::RunDir;

/// Where trials are trained and written.
#[derive(Debug)]
pub struct RunContext<'a> {
    /// The run directory.
    pub folder: &'a RunDir,
    /// The run record.
    pub run_state: &'a RunState<'a>,
    /// The options of the run.
    pub options: &'a Options<'a>,
    /// Start time of the run.
    pub started: OffsetDateTime,
    /// Checkpoint to resume from, until its stack takes it.
    pub resume_from: RefCell<Option<RunCheckpoint>>,
    /// Epoch of the checkpoint in the run directory, of the stack that was trained last.
    pub last_checkpoint: Cell<Option<usize>>,
}
