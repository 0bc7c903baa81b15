//! Checkpoints of the stack that a run trains: when they are written, and what is said of one that cannot be.
//!
//! A run's folder has one, `checkpoint.safetensors`; a new one takes the place of the old one when it is whole. Where it
//! cannot be written the old one stays, training goes on, and it is tried again when the next one is due.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::bounded_file;
use crate::data::hashed_file;
use crate::experiment::run_record::TrialName;
use crate::hint::{Hint, in_a_line};
use crate::history::Environment;
use crate::requests::Requests;
use crate::run_dir::RunDir;
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

/// All of a checkpoint but its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    trials: Vec<TrialName>,
    /// SHA-256 over all settings of the trials, and over their data.
    #[serde(default)]
    settings: String,
    environment: Environment,
    training: State,
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
    /// When it is damaged.
    pub fn read(folder: &RunDir) -> anyhow::Result<Option<Found>> {
        let path = folder.file(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let read = || Self::of_bytes(&bounded_file::read(&path, hashed_file::most())?);
        let shown = path.display();
        let hint = format!("without it its trials are trained from the start: `rm '{shown}'`");
        read().with_context(|| format!("failed to read the checkpoint `{shown}`")).context(Hint(hint)).map(Some)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When it is damaged, or no checkpoint of a run.
    pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Found> {
        let (Kept { trials, settings, environment, training }, tensors): (Kept, Tensors) = file::decode(bytes)?;
        Ok(Found { trials, settings, environment, checkpoint: Checkpoint { state: training, tensors } })
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
    last: Instant,
    asked: bool,
    fails: bool,
}

impl<'a> StackKeeper<'a> {
    /// Of this stack, which goes on from `found`, where that is one of it.
    pub fn new(
        folder: &'a RunDir,
        requests: &'a Requests,
        pace: Pace,
        trials: &'a [TrialName],
        settings: String,
        environment: Environment,
        found: Option<Found>,
    ) -> Self {
        let resumes_from = found.map(|found| found.checkpoint);
        let last = Instant::now();
        StackKeeper {
            folder,
            requests,
            pace,
            trials,
            settings,
            environment,
            resumes_from,
            last,
            asked: false,
            fails: false,
        }
    }

    fn laid_out(&self, checkpoint: &Checkpoint) -> anyhow::Result<Vec<u8>> {
        let (trials, environment) = (self.trials.to_vec(), self.environment.clone());
        let settings = self.settings.clone();
        let kept = Kept { trials, settings, environment, training: checkpoint.state.clone() };
        file::encode(&kept, &checkpoint.tensors)
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
        let written = self.laid_out(checkpoint).and_then(|bytes| self.folder.try_write(FILE, &bytes));
        let epoch = checkpoint.state.epoch;
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
    /// is told when the run has ended.
    fn keep_last(&mut self, checkpoint: &Checkpoint) -> Option<String> {
        match self.laid_out(checkpoint) {
            Ok(bytes) => {
                self.folder.write(FILE, &bytes);
                None
            }
            Err(error) => Some(format!("no checkpoint of epoch {}: {}", checkpoint.state.epoch, in_a_line(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
