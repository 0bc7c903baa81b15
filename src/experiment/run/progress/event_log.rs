//! TensorBoard event files of a run in training: those of `export::tensorboard`, one epoch after the other.
//!
//! Each trial has a directory of its own, `DIR/EXPERIMENT/RUN/TRIAL`, with a file for each time that its training has started.
//! A resumed trial writes all epochs up to its checkpoint again, after an event that lets TensorBoard ignore the earlier
//! files. So no epoch is missing or there twice, whatever the interrupted process has written.

use std::fs::File;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::export::files::folder_of_run;
use crate::export::tensorboard;
use crate::history::{History, event_file};
use crate::io::atomic_write;
use crate::run_dir::RunDir;
use crate::train::callback::EpochReport;

/// Maximum time that an epoch waits to be written together with later ones.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Minimum time between two writes, in multiples of the duration of a write.
const SHARE: u32 = 100;

/// Maximum number of bytes of a trial that wait while they cannot be written.
const MOST_WAITING: usize = 1 << 20;

/// Where the event files of a run are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFiles {
    /// In `EXPERIMENT/RUN` below this directory.
    Below(PathBuf),
    /// In this directory: the process belongs to a run that several processes train.
    In(PathBuf),
}

impl EventFiles {
    /// Returns the directory of a run of this experiment. `run` is the run directory.
    pub fn folder(&self, experiment: &str, run: &Path) -> PathBuf {
        match self {
            EventFiles::Below(folder) => folder.join(folder_of_run(experiment, run)),
            EventFiles::In(folder) => folder.clone(),
        }
    }
}

/// Checks that event files can be written below this directory. It need not exist.
///
/// # Errors
/// When they cannot.
pub fn check(folder: &Path) -> anyhow::Result<()> {
    let hint = || Hint("name a writable directory: `--tensorboard DIR`".to_owned());
    let shown = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(anyhow!("`{shown}` is a file, not a directory for event files").context(hint()));
    }
    atomic_write::can_write(folder).map_err(|error| {
        anyhow::Error::new(error).context(format!("failed to write event files to `{shown}`")).context(hint())
    })
}

/// Writer of the event files of a run. After an error, training continues, and the events are written as soon as possible.
#[derive(Debug)]
pub struct EventLog<'a> {
    run: &'a RunDir,
    folder: PathBuf,
    trials: Vec<TrialEvents>,
    has_failed: bool,
    flushed: Instant,
    /// Duration of the last write of all files.
    took: Duration,
}

/// The event file of a trial.
#[derive(Debug)]
struct TrialEvents {
    stem: String,
    folder: PathBuf,
    /// The file, once it exists.
    file: Option<PathBuf>,
    /// Number of bytes in the file, all of them complete events.
    written: u64,
    /// Events that are not written yet.
    waiting: Vec<u8>,
    /// Whether too many events could not be written: further ones are not kept.
    is_given_up: bool,
}

impl<'a> EventLog<'a> {
    /// Creates the writer of a run. `folder` is the directory for its trials.
    pub fn new(run: &'a RunDir, folder: PathBuf) -> EventLog<'a> {
        let (flushed, took) = (Instant::now(), Duration::ZERO);
        EventLog { run, folder, trials: Vec::new(), has_failed: false, flushed, took }
    }

    /// Creates the files of the trials of a stack. Each history has the epochs before. Returns a warning if a file cannot be
    /// written.
    pub fn start_stack(&mut self, trials: &[History]) -> Option<String> {
        let before = self.flush();
        let start = |history: &History| {
            let (stem, mut waiting) = (history.stem(), tensorboard::start_events(history, true));
            let folder = self.folder.join(&stem);
            tensorboard::epoch_events(history, &mut waiting);
            TrialEvents { stem, folder, file: None, written: 0, waiting, is_given_up: false }
        };
        self.trials = trials.iter().map(start).collect();
        before.or(self.flush())
    }

    /// Adds an epoch. Returns a warning if a file cannot be written.
    pub fn add(&mut self, report: &EpochReport) -> Option<String> {
        let wall_time = now();
        for (replica, trial) in self.trials.iter_mut().enumerate() {
            if !report.trained.get(replica).is_some_and(|trained| *trained) {
                continue;
            }
            let metrics = report.metrics.iter().map(|(name, values)| (name.as_str(), values[replica]));
            let values = metrics.chain([("seconds", report.seconds)]);
            tensorboard::add_epoch(wall_time, report.epoch, values, &mut trial.waiting);
        }
        if self.flushed.elapsed() < FLUSH_INTERVAL.max(self.took * SHARE) {
            return None;
        }
        self.flush()
    }

    /// Adds the test metrics of a trial. Returns a warning if its file cannot be written.
    pub fn end_trial(&mut self, history: &History) -> Option<String> {
        let stem = history.stem();
        let trial = self.trials.iter_mut().find(|trial| trial.stem == stem)?;
        if !history.status.is_unfinished() {
            tensorboard::end_events(history, now(), &mut trial.waiting);
        }
        if !self.run.may_write() {
            return None;
        }
        let written = trial.write();
        self.warning(written)
    }

    /// Writes all events, unless another process has taken over the run.
    fn flush(&mut self) -> Option<String> {
        if !self.run.may_write() {
            self.trials.clear();
            return None;
        }
        let started = Instant::now();
        let outcome = self.trials.iter_mut().map(TrialEvents::write).fold(Ok(()), Result::and);
        self.flushed = Instant::now();
        self.took = started.elapsed();
        self.warning(outcome)
    }

    /// Returns a warning about the first error of this run.
    fn warning(&mut self, outcome: std::io::Result<()>) -> Option<String> {
        let error = outcome.err()?;
        let is_first = !std::mem::replace(&mut self.has_failed, true);
        let shown = self.folder.display();
        is_first.then(|| format!("failed to write event files to `{shown}`: {error}; training continues"))
    }
}

impl Drop for EventLog<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

impl TrialEvents {
    /// Writes the events that wait. If that fails, the file has complete events only, and they wait on.
    fn write(&mut self) -> std::io::Result<()> {
        if self.is_given_up {
            self.waiting.clear();
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.append();
        if written.is_ok() {
            self.written += self.waiting.len() as u64;
            self.waiting.clear();
        } else {
            self.is_given_up = self.waiting.len() > MOST_WAITING;
        }
        written
    }

    fn append(&mut self) -> std::io::Result<()> {
        let mut file = match &self.file {
            Some(path) => File::options().append(true).open(path)?,
            None => {
                let (path, file) = create(&self.folder)?;
                self.file = Some(path);
                file
            }
        };
        let written = file.write_all(&self.waiting);
        if written.is_err() {
            let _ = file.set_len(self.written); // the part of an event; report the first error
        }
        written
    }
}

/// Creates an event file whose name comes after those of all others in the directory.
fn create(folder: &Path) -> std::io::Result<(PathBuf, File)> {
    std::fs::create_dir_all(folder)?;
    let newest = newest_time(folder).map_or(0, |seconds| seconds.saturating_add(1));
    let first = (now() as u64).max(newest);
    for seconds in first..first.saturating_add(100) {
        let path = folder.join(tensorboard::file_name(seconds));
        match File::options().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::from(ErrorKind::AlreadyExists))
}

/// Returns the time in the last name of an event file in a directory.
fn newest_time(folder: &Path) -> Option<u64> {
    let names = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let newest = names.filter(|name| event_file::is_event_file(name)).max()?;
    newest.split("tfevents.").nth(1)?.split('.').next()?.parse().ok()
}

/// Returns the time in seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
