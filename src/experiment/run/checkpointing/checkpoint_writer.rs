//! Writes the checkpoints of a stack.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;

use crate::config::hint::in_a_line;
use crate::experiment::run::checkpointing::checkpoint_interval::CheckpointInterval;
use crate::experiment::run::checkpointing::checkpoint_reader::{FILE, RunCheckpoint};
use crate::experiment::run::checkpointing::passed_rungs::{ENDED, PassedRungs};
use crate::experiment::run::context::RunContext;
use crate::experiment::run::run_study::options::Options;
use crate::experiment::store::stack_record::TrialName;
use crate::history::Environment;
use crate::run_dir::RunDir;
use crate::train::checkpoint::file::{self, CheckpointFile};
use crate::train::checkpoint::{Checkpoint, Checkpointer, State, Tensors};

/// The metadata of a checkpoint, without its tensors.
#[derive(Debug, Serialize)]
pub(super) struct CheckpointMetadataRef<'a> {
    pub(super) trials: &'a [TrialName],
    pub(super) settings: &'a str,
    pub(super) environment: &'a Environment,
    pub(super) training: &'a State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rungs: Option<&'a PassedRungs>,
}

/// Writes the checkpoints of one stack.
#[derive(Debug)]
pub struct StackKeeper<'a> {
    folder: &'a RunDir,
    options: &'a Options<'a>,
    trials: &'a [TrialName],
    settings: String,
    environment: Environment,
    /// The checkpoint that training continues from, taken when it does.
    pub resume_from: Option<Checkpoint>,
    /// What has happened at the rungs of this stack, with the tensors of the replicas that ended at them, in the
    /// order of the rungs.
    pub rungs: Option<(PassedRungs, Tensors)>,
    /// Epoch of this stack's checkpoint in the run directory.
    saved_epoch: &'a Cell<Option<usize>>,
    last_time: Instant,
    is_requested: bool,
    has_failed: bool,
    /// File of the checkpoint of the last epoch, once training has ended.
    pub last_epoch: Option<CheckpointFile>,
}

impl<'a> StackKeeper<'a> {
    /// Starts with the checkpoint that this stack is resumed from, if any.
    pub fn new(
        context: &'a RunContext<'a>,
        trials: &'a [TrialName],
        settings: String,
        environment: Environment,
        checkpoint: Option<RunCheckpoint>,
    ) -> Self {
        context.last_checkpoint.set(checkpoint.as_ref().map(RunCheckpoint::epoch));
        let (resume_from, rungs) = checkpoint.map(|found| (Some(found.checkpoint), found.rungs)).unwrap_or_default();
        StackKeeper {
            folder: context.folder,
            options: context.options,
            trials,
            settings,
            environment,
            resume_from,
            rungs,
            saved_epoch: &context.last_checkpoint,
            last_time: Instant::now(),
            is_requested: false,
            has_failed: false,
            last_epoch: None,
        }
    }

    fn serialize(&self, checkpoint: &Checkpoint) -> anyhow::Result<CheckpointFile> {
        let Self { trials, settings, environment, .. } = self;
        let rungs = self.rungs.as_ref().map(|(passed, _)| passed);
        let metadata = CheckpointMetadataRef { trials, settings, environment, training: &checkpoint.state, rungs };
        let ended = self.rungs.iter().flat_map(|(_, ended)| ended);
        let ended = ended.map(|(name, tensor)| (format!("{ENDED}{name}"), tensor.shallow_clone()));
        let own = checkpoint.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        file::lay_out(&metadata, &own.chain(ended).collect())
    }
}

impl Checkpointer for StackKeeper<'_> {
    fn resume_from(&mut self) -> Option<Checkpoint> {
        self.resume_from.take()
    }

    fn is_due(&mut self, epoch: usize) -> bool {
        self.is_requested = self.options.signals.checkpoint.swap(false, Ordering::Relaxed);
        let by_interval = match self.options.checkpoint_interval {
            CheckpointInterval::Epochs(every) => epoch.is_multiple_of(every),
            CheckpointInterval::Time(every) => self.last_time.elapsed() >= every,
            CheckpointInterval::Never => false,
        };
        self.is_requested || by_interval
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Option<String> {
        let serialized = self.serialize(checkpoint);
        let written = serialized.and_then(|file| self.folder.try_write_with(FILE, &|to| file.write_to(to)));
        let epoch = checkpoint.state.epoch;
        if written.is_ok() {
            self.saved_epoch.set(Some(epoch));
        }
        self.last_time = Instant::now();
        let is_requested = std::mem::take(&mut self.is_requested);
        let failed = std::mem::replace(&mut self.has_failed, written.is_err());
        match written {
            Ok(()) if failed => Some(format!("checkpoints can be written again: saved one of epoch {epoch}")),
            Ok(()) if is_requested => Some(format!("saved a checkpoint of epoch {epoch}, as requested by SIGUSR1")),
            Err(error) if is_requested || !failed => {
                let why = in_a_line(&error);
                Some(format!(
                    "failed to save a checkpoint of epoch {epoch}: {why}; training continues, and the next checkpoint is tried"
                ))
            }
            Ok(()) | Err(_) => None,
        }
    }

    /// Writes the last checkpoint like a trial's files: with retries, and into the fallback directory if the run
    /// directory fails, which is reported when the run ends. If the run directory already has the checkpoint of this
    /// epoch, it is not written again.
    fn keep_last(&mut self, checkpoint: &Checkpoint) -> Option<String> {
        let epoch = checkpoint.state.epoch;
        if self.saved_epoch.get() == Some(epoch) && self.folder.file(FILE).is_file() {
            return None;
        }
        match self.serialize(checkpoint) {
            Ok(file) => {
                if self.folder.write_with(FILE, &|to| file.write_to(to)) {
                    self.saved_epoch.set(Some(epoch));
                }
                None
            }
            Err(error) => Some(format!("failed to save a checkpoint of epoch {epoch}: {}", in_a_line(&error))),
        }
    }

    /// Keeps the checkpoint from which `runner resume --epochs` continues, unless no checkpoints are wanted or replicas have
    /// ended at rungs. It is written
    /// after the histories, which are more important.
    fn keep_final(&mut self, checkpoint: &Checkpoint) -> Option<String> {
        if self.options.checkpoint_interval == CheckpointInterval::Never || self.rungs.is_some() {
            return None;
        }
        match self.serialize(checkpoint) {
            Ok(file) => {
                self.last_epoch = Some(file);
                None
            }
            Err(error) => Some(format!("failed to save the checkpoint of the last epoch: {}", in_a_line(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::store::cache::Cache;
    use crate::experiment::run::Finished;
    use crate::experiment::run::tests::interrupted;
    use crate::experiment::store::run_record::RunRecord;
    use crate::experiment::store::run_state::RunState;
    use crate::io::signals::Signals;

    #[cfg(unix)]
    #[test]
    fn the_checkpoint_of_an_epoch_is_written_once() {
        use std::os::unix::fs::MetadataExt;
        let out = tempfile::tempdir().unwrap();
        let (Finished { folder, .. }, _) = interrupted(out.path(), CheckpointInterval::Never);
        let RunCheckpoint { trials, settings, environment, mut checkpoint, .. } =
            RunCheckpoint::read(&folder).unwrap().unwrap();
        let (signals, run_state) =
            (Signals::default(), RunState::new(&folder, RunRecord::read(folder.path()).unwrap()));
        let options = Options {
            device: tch::Device::Cpu,
            threads: 1,
            stack: None,
            narrows: true,
            checkpoint_interval: CheckpointInterval::Never,
            events: None,
            cache: &Cache::for_user(),
            signals: &signals,
        };
        let context = RunContext {
            folder: &folder,
            run_state: &run_state,
            options: &options,
            started: time::OffsetDateTime::now_utc(),
            resume_from: std::cell::RefCell::new(None),
            last_checkpoint: Cell::new(None),
        };
        let mut keeper = StackKeeper::new(&context, &trials, settings, environment, None);
        let file = || folder.file(FILE).metadata().unwrap().ino();
        let at_first = file();
        assert_eq!(keeper.keep(&checkpoint), None);
        let kept = file();
        assert_ne!(kept, at_first);
        assert_eq!(keeper.keep_last(&checkpoint), None);
        assert_eq!((file(), context.last_checkpoint.get()), (kept, Some(2)));
        checkpoint.state.epoch = 3;
        assert_eq!(keeper.keep_last(&checkpoint), None);
        assert_ne!(file(), kept);
        assert_eq!(context.last_checkpoint.get(), Some(3));
    }
}
