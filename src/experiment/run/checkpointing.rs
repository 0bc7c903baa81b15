//! Checkpoints of the stack that a run trains: when they are written, and what is said of one that cannot be.
//!
//! A run's folder has one, `checkpoint.safetensors`; a new one takes the place of the old one when it is whole. Where it
//! cannot be written the old one stays, training goes on, and it is tried again when the next one is due.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};

use crate::config::hint::{Hint, in_a_line};
use crate::device::{byte_size, memory};
use crate::experiment::run::scheduler::Place;
use crate::experiment::store::run_record::TrialName;
use crate::history::Environment;
use crate::io::bounded_file;
use crate::io::signals::Requests;
use crate::run_dir::RunDir;
use crate::tensor::safetensors_file::SafetensorsFile;
use crate::train::checkpoint::{Checkpoint, Keeper, State, Tensors, file};

/// The file in a run's folder.
pub const FILE: &str = "checkpoint.safetensors";

/// How often checkpoints are written, always at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// After so many epochs.
    Epochs(usize),
    /// After so long.
    Time(Duration),
    /// Only when the run is interrupted, or asked to.
    Never,
}

impl Default for Pace {
    fn default() -> Self {
        Pace::Time(Duration::from_secs(30))
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pace::Epochs(every) => write!(f, "{every}"),
            Pace::Time(every) => write!(f, "{}s", every.as_secs()),
            Pace::Never => f.write_str("never"),
        }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected epochs (`5`), a time (`30s`, `10m`, `1h`) or `never`".to_owned();
        if text == "never" {
            return Ok(Pace::Never);
        }
        let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let seconds = match unit {
            "" if number > 0 => return Ok(Pace::Epochs(usize::try_from(number).map_err(|_| wrong())?)),
            "s" => Some(number),
            "m" | "min" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            _ => None,
        };
        seconds.map(|seconds| Pace::Time(Duration::from_secs(seconds))).ok_or_else(wrong)
    }
}

/// All of a checkpoint but its tensors, as it is read.
#[derive(Debug, Deserialize)]
struct Kept {
    trials: Vec<TrialName>,
    /// SHA-256 over all settings of the trials, and over their data.
    #[serde(default)]
    settings: String,
    environment: Environment,
    training: State,
}

/// The same as it is written.
#[derive(Debug, Serialize)]
struct Keeping<'a> {
    trials: &'a [TrialName],
    settings: &'a str,
    environment: &'a Environment,
    training: &'a State,
}

/// A checkpoint that was read from a run's folder.
#[derive(Debug)]
pub struct Found {
    trials: Vec<TrialName>,
    settings: String,
    /// What it was trained on.
    pub environment: Environment,
    checkpoint: Checkpoint,
}

impl Found {
    /// Reads the checkpoint in a run's folder; `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged, or memory does not suffice for it.
    pub fn read(folder: &RunDir) -> anyhow::Result<Option<Found>> {
        Self::read_into(folder, memory::free_of_machine())
    }

    /// As [`Found::read`], with this number of bytes of memory free.
    fn read_into(folder: &RunDir, free: u64) -> anyhow::Result<Option<Found>> {
        let path = folder.file(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let shown = path.display();
        let what = || format!("failed to read the checkpoint `{shown}`");
        let opened = bounded_file::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let without = Hint(format!("without it its trials are trained from the start: `rm '{shown}'`"));
        let (size, mut file) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(anyhow::Error::new(error).context(what()).context(without)),
        };
        if size > free {
            let (size, free) = (byte_size::in_words(size), byte_size::in_words(free));
            let hint = "free memory, or resume the run on a machine that has more; the checkpoint is kept";
            let error = anyhow!("it needs {size} of memory, and {free} are free");
            return Err(error.context(what()).context(Hint(hint.to_owned())));
        }
        let read = file::read(&mut file, size).map(|(kept, tensors)| Some(Self::of(kept, tensors)));
        read.with_context(what).context(without)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When it is damaged, or no checkpoint of a run.
    pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Found> {
        file::decode(bytes).map(|(kept, tensors)| Self::of(kept, tensors))
    }

    fn of(Kept { trials, settings, environment, training }: Kept, tensors: Tensors) -> Found {
        Found { trials, settings, environment, checkpoint: Checkpoint { state: training, tensors } }
    }

    /// The epoch that it stands at.
    pub fn epoch(&self) -> usize {
        self.checkpoint.state.epoch
    }

    /// How long training took up to it, seconds.
    pub fn seconds(&self) -> f64 {
        self.checkpoint.state.seconds
    }

    /// Checks that it was trained with these settings.
    ///
    /// # Errors
    /// When it was trained with others, or on other data.
    pub fn check(&self, settings: &str) -> anyhow::Result<()> {
        ensure!(self.settings == settings, "it was trained with other settings, or on other data");
        Ok(())
    }

    /// Whether it is one of this stack.
    pub fn is_of(&self, trials: &[TrialName]) -> bool {
        self.trials == trials
    }
}

/// Keeps the checkpoints of one stack.
#[derive(Debug)]
pub struct StackKeeper<'a> {
    folder: &'a RunDir,
    requests: &'a Requests,
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
                Some(format!("no checkpoint of epoch {epoch}: {why}; training goes on, and it is tried again"))
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
    use crate::experiment::store::run_state::Ledger;

    #[test]
    fn a_pace_is_written_in_epochs_or_as_a_time() {
        let seconds = |seconds| Ok(Pace::Time(Duration::from_secs(seconds)));
        for (text, pace) in [
            ("5", Ok(Pace::Epochs(5))),
            ("0s", seconds(0)),
            ("30s", seconds(30)),
            ("10m", seconds(600)),
            ("2h", seconds(7200)),
            ("never", Ok(Pace::Never)),
        ] {
            assert_eq!(text.parse(), pace, "{text}");
        }
        for wrong in ["", "0", "-1", "s", "1.5s", "5 s", "5d", "99999999999999999999", "18446744073709551615h"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_checkpoint_that_does_not_fit_into_memory_is_not_damaged() {
        let out = tempfile::tempdir().unwrap();
        let (finished, _) = interrupted(out.path(), Pace::Never);
        let size = finished.folder.file(FILE).metadata().unwrap().len();
        let error = Found::read_into(&finished.folder, size - 1).unwrap_err();
        let said = in_a_line(&error);
        let (needed, free) = (byte_size::in_words(size), byte_size::in_words(size - 1));
        assert!(said.ends_with(&format!("it needs {needed} of memory, and {free} are free")), "{said}");
        let hint = &error.downcast_ref::<Hint>().unwrap().0;
        assert!(hint.contains("the checkpoint is kept") && !hint.contains("rm "), "{hint}");
        assert_eq!(Found::read_into(&finished.folder, size).unwrap().unwrap().epoch(), 2);

        std::fs::write(finished.folder.file(FILE), [7; 4000]).unwrap();
        let damaged = Found::read_into(&finished.folder, size).unwrap_err();
        assert!(damaged.downcast_ref::<Hint>().unwrap().0.contains("`rm '"));
    }

    #[cfg(unix)]
    #[test]
    fn the_checkpoint_of_an_epoch_is_written_once() {
        use std::os::unix::fs::MetadataExt;
        let out = tempfile::tempdir().unwrap();
        let (Finished { folder, .. }, _) = interrupted(out.path(), Pace::Never);
        let Found { trials, settings, environment, mut checkpoint } = Found::read(&folder).unwrap().unwrap();
        let (requests, ledger) = (Requests::default(), Ledger::new(&folder, RunRecord::read(folder.path()).unwrap()));
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
