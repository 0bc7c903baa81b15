//! Writing the checkpoints of a stack.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;

use crate::config::hint::in_a_line;
use crate::experiment::run::checkpointing::found::{FILE, Found};
use crate::experiment::run::checkpointing::pace::Pace;
use crate::experiment::run::place::Place;
use crate::experiment::store::stack_record::TrialName;
use crate::history::Environment;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;
use crate::tensor::safetensors_file::SafetensorsFile;
use crate::train::checkpoint::{Checkpoint, Keeper, State, file};

/// All of a checkpoint but its tensors, as it is written.
#[derive(Debug, Serialize)]
struct Keeping<'a> {
    trials: &'a [TrialName],
    settings: &'a str,
    environment: &'a Environment,
    training: &'a State,
}

/// Keeps the checkpoints of one stack.
#[derive(Debug)]
pub struct StackKeeper<'a> {
    folder: &'a RunDir,
    requests: &'a Signals,
    pace: Pace,
    trials: &'a [TrialName],
    settings: String,
    environment: Environment,
    resumes_from: Option<Checkpoint>,
    /// The epoch of the checkpoint of this stack that is in the folder.
    kept: &'a Cell<Option<usize>>,
    last: Instant,
    asked: bool,
    fails: bool,
}

impl<'a> StackKeeper<'a> {
    /// Of this stack, which goes on from `found`, where that is one of it.
    pub fn new(
        place: &'a Place<'a>,
        trials: &'a [TrialName],
        settings: String,
        environment: Environment,
        found: Option<Found>,
    ) -> Self {
        let Place { folder, requests, pace, ref checkpoint, .. } = *place;
        checkpoint.set(found.as_ref().map(Found::epoch));
        StackKeeper {
            folder,
            requests,
            pace,
            trials,
            settings,
            environment,
            resumes_from: found.map(|found| found.checkpoint),
            kept: checkpoint,
            last: Instant::now(),
            asked: false,
            fails: false,
        }
    }

    fn laid_out(&self, checkpoint: &Checkpoint) -> anyhow::Result<SafetensorsFile> {
        let Self { trials, settings, environment, .. } = self;
        file::lay_out(&Keeping { trials, settings, environment, training: &checkpoint.state }, &checkpoint.tensors)
    }
}

impl Keeper for StackKeeper<'_> {
    fn resumes_from(&mut self) -> Option<Checkpoint> {
        self.resumes_from.take()
    }

    fn is_due(&mut self, epoch: usize) -> bool {
        self.asked = self.requests.checkpoint.swap(false, Ordering::Relaxed);
        let by_pace = match self.pace {
            Pace::Epochs(every) => epoch.is_multiple_of(every),
            Pace::Time(every) => self.last.elapsed() >= every,
            Pace::Never => false,
        };
        self.asked || by_pace
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Option<String> {
        let laid_out = self.laid_out(checkpoint);
        let written = laid_out.and_then(|file| self.folder.try_write_with(FILE, &|to| file.write_to(to)));
        let epoch = checkpoint.state.epoch;
        if written.is_ok() {
            self.kept.set(Some(epoch));
        }
        self.last = Instant::now();
        let asked = std::mem::take(&mut self.asked);
        let failed = std::mem::replace(&mut self.fails, written.is_err());
        match written {
            Ok(()) if failed => Some(format!("checkpoints can be written again: one of epoch {epoch} is there")),
            Ok(()) if asked => Some(format!("a checkpoint of epoch {epoch} is written, as SIGUSR1 asks for")),
            Err(error) if asked || !failed => {
                let why = in_a_line(&error);
                Some(format!("no checkpoint of epoch {epoch}: {why}; training continues, and it is tried again"))
            }
            Ok(()) | Err(_) => None,
        }
    }

    /// As a trial's files are written: with patience, and to a fall-back place where the folder does not take it, which
    /// is told when the run has ended. Where the folder has the checkpoint of this epoch, it stays.
    fn keep_last(&mut self, checkpoint: &Checkpoint) -> Option<String> {
        let epoch = checkpoint.state.epoch;
        if self.kept.get() == Some(epoch) && self.folder.file(FILE).is_file() {
            return None;
        }
        match self.laid_out(checkpoint) {
            Ok(file) => {
                if self.folder.write_with(FILE, &|to| file.write_to(to)) {
                    self.kept.set(Some(epoch));
                }
                None
            }
            Err(error) => Some(format!("no checkpoint of epoch {epoch}: {}", in_a_line(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::Finished;
    use crate::experiment::run::tests::interrupted;
    use crate::experiment::store::run_record::RunRecord;
    use crate::experiment::store::run_state::RunState;

    #[cfg(unix)]
    #[test]
    fn the_checkpoint_of_an_epoch_is_written_once() {
        use std::os::unix::fs::MetadataExt;
        let out = tempfile::tempdir().unwrap();
        let (Finished { folder, .. }, _) = interrupted(out.path(), Pace::Never);
        let Found { trials, settings, environment, mut checkpoint } = Found::read(&folder).unwrap().unwrap();
        let (requests, ledger) = (Signals::default(), RunState::new(&folder, RunRecord::read(folder.path()).unwrap()));
        let place = Place {
            folder: &folder,
            ledger: &ledger,
            device: tch::Device::Cpu,
            threads: 1,
            stack: None,
            started: time::OffsetDateTime::now_utc(),
            requests: &requests,
            pace: Pace::Never,
            found: std::cell::RefCell::new(None),
            checkpoint: Cell::new(None),
        };
        let mut keeper = StackKeeper::new(&place, &trials, settings, environment, None);
        let file = || folder.file(FILE).metadata().unwrap().ino();
        let at_first = file();
        assert_eq!(keeper.keep(&checkpoint), None);
        let kept = file();
        assert_ne!(kept, at_first);
        assert_eq!(keeper.keep_last(&checkpoint), None);
        assert_eq!((file(), place.checkpoint.get()), (kept, Some(2)));
        checkpoint.state.epoch = 3;
        assert_eq!(keeper.keep_last(&checkpoint), None);
        assert_ne!(file(), kept);
        assert_eq!(place.checkpoint.get(), Some(3));
    }
}
