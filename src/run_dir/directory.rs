//! The run directory: `runs/<experiment>/<UTC time>-<6 hex digits of a hash of the resolved experiment>/`.
//!
//! Two runs never share a directory, and it is locked while a run writes to it. The link `latest` next to it points to
//! the newest finished run.
//!
//! Trained results are in memory until they are written, so a failing disk must not lose them. [`RunDir::write`]
//! retries for some seconds, creates a removed directory again, and finally writes to a fallback directory. Once the
//! run directory accepts files again, they are moved there. [`RunDir::write_errors`] reports the result.

use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::config::hint::Hint;
use crate::data::store::checksum::sha256;
use crate::io::atomic_write::{self, Content};
use crate::io::{bounded_file, file_names};
use crate::run_dir::fallback::{self, FallbackRoot};
use crate::run_dir::latest::{LATEST, create_latest, resolve_link};
use crate::run_dir::lease_check::LeaseCheck;
use crate::run_dir::lock::{Lock, LockError};
use crate::run_dir::state::{EXPERIMENT, State};
use crate::run_dir::write_errors::WriteErrors;

/// File name of the run record.
const RECORD: &str = "run.json";

/// File name of the fitted preprocessing.
const PREPROCESSING: &str = "preprocessing.json";

/// Minimum age of temporary files that are removed when no lock proves that their writer is gone.
const OLD: Duration = Duration::from_secs(3600);

/// A directory that one run writes to, locked until its last clone is dropped.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    fallback_roots: Vec<FallbackRoot>,
    /// Whether this process may still write, if a lease decides that.
    lease: Option<LeaseCheck>,
    state: Arc<Mutex<State>>,
}

impl RunDir {
    /// Checks that a run directory can be created under `out`, before data are downloaded or trained on.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn check(out: &Path, experiment: &str) -> anyhow::Result<()> {
        let parent = out.join(experiment);
        for entry in std::fs::read_dir(out).into_iter().flatten().flatten() {
            let other = entry.file_name().to_string_lossy().into_owned();
            if other != experiment && file_names::are_one_file(&other, experiment) {
                let difference = file_names::difference(&other, experiment);
                return Err(anyhow!("in `{}`, experiments `{experiment}` and `{other}` {difference}", out.display())
                    .context(Hint("set another `name` in the file, or another directory with `--out`".to_owned())));
            }
        }
        atomic_write::can_write(&parent).map_err(|error| creation_error(&parent, error))
    }

    /// Creates and locks a new run directory under `out`, and writes the resolved experiment and the files `beside` it.
    /// If there is no link `latest` yet, it points to this run.
    ///
    /// # Errors
    /// When it cannot be created or written to; nothing is left behind.
    pub fn create(
        out: &Path,
        experiment: &str,
        resolved: &str,
        beside: &[(String, Vec<u8>)],
        started: OffsetDateTime,
    ) -> anyhow::Result<RunDir> {
        let parent = out.join(experiment);
        std::fs::create_dir_all(&parent).map_err(|error| creation_error(&parent, error))?;
        atomic_write::sweep(&parent, OLD);
        let stamp = started
            .format(format_description!("[year]-[month]-[day]T[hour][minute][second]Z"))
            .context("failed to format the time")?;
        let name = format!("{stamp}-{}", &sha256(resolved.as_bytes())[..6]);
        let path = fallback::create_numbered(&parent, &name).map_err(|error| creation_error(&parent, error))?;
        let others = beside.iter().map(|(name, bytes)| (name.as_str(), &bytes[..]));
        let files = [(EXPERIMENT, resolved.as_bytes())].into_iter().chain(others);
        let begun = Lock::take(&path).map_err(Error::from).and_then(|lock| {
            files.clone().try_for_each(|(name, bytes)| atomic_write::put(&path.join(name), bytes)).map(|()| lock)
        });
        let lock = begun.map_err(|error| {
            // the directory contains only these files; the first error is the one to report
            files.for_each(|(name, _)| drop(std::fs::remove_file(path.join(name))));
            let _ = std::fs::remove_dir(&path);
            creation_error(&parent, error)
        })?;
        // failures are ignored: if the names do not reach the disk, later writes report it
        let _ = atomic_write::sync_folder(&parent).and_then(|()| atomic_write::sync_folder(out));
        create_latest(&parent, &path);
        let record = beside.iter().find(|(name, _)| name == RECORD).map(|(_, bytes)| bytes.clone());
        Ok(RunDir::new(path, Some(lock), resolved.into(), record.unwrap_or_default()))
    }

    /// Opens and locks the directory of a run to resume, and removes temporary files of its last writer.
    ///
    /// # Errors
    /// When it does not exist, another process writes to it, or it cannot be written to.
    pub fn open(path: &Path) -> anyhow::Result<RunDir> {
        let path = resolve_link(path);
        let shown = path.display();
        if !path.is_dir() {
            return Err(anyhow!("there is no directory `{shown}`"));
        }
        let lock = Lock::take(&path).map_err(|refused| match refused {
            LockError::Held(process) => {
                let process = process.map(|number| format!(", process {number}")).unwrap_or_default();
                let hint = "wait until it ends, or stop it".to_owned();
                anyhow!("`{shown}` is being written by another runner{process}").context(Hint(hint))
            }
            LockError::Failed(error) => {
                let hint = "make the run directory writable to resume".to_owned();
                anyhow::Error::new(error).context(format!("failed to lock `{shown}`")).context(Hint(hint))
            }
        })?;
        Ok(RunDir::reopen(path, Some(lock)))
    }

    /// Removes temporary files of the last writer, and reads the files that are needed to create the directory again.
    fn reopen(path: PathBuf, lock: Option<Lock>) -> RunDir {
        let is_held = lock.as_ref().is_some_and(Lock::is_held);
        atomic_write::sweep(&path, if is_held { Duration::ZERO } else { OLD });
        // a copied run may have lost these files
        let read = |name: &str, most| bounded_file::read(&path.join(name), most).unwrap_or_default();
        let (resolved, record) = (read(EXPERIMENT, bounded_file::EXPERIMENT), read(RECORD, bounded_file::JSON));
        RunDir::new(path, lock, resolved, record)
    }

    fn new(path: PathBuf, lock: Option<Lock>, resolved: Vec<u8>, record: Vec<u8>) -> RunDir {
        let state = State { lock, resolved, record, ..State::default() };
        RunDir { path, fallback_roots: FallbackRoot::all(), lease: None, state: Arc::new(Mutex::new(state)) }
    }

    /// Path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of `latest` if it is a directory instead of a link, as in a copy of the runs.
    pub fn latest_directory(&self) -> Option<PathBuf> {
        let latest = self.path.parent()?.join(LATEST);
        (latest.is_dir() && !latest.is_symlink()).then_some(latest)
    }

    /// Records the epoch of the stack in training, for lists of runs.
    pub fn record_progress(&self, epoch: usize, epochs: usize) {
        if let Some(lock) = &mut self.state().lock {
            lock.write_progress(epoch, epochs);
        }
    }

    /// Path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file atomically. On an error it retries for some seconds, and then writes to a fallback directory.
    /// After that, each further file is tried here once.
    ///
    /// It returns no error, because the run must continue: files that could not be written anywhere are reported by
    /// [`RunDir::write_errors`].
    pub fn write(&self, name: &str, bytes: &[u8]) {
        match name {
            RECORD => self.state().record = bytes.to_vec(),
            PREPROCESSING => self.state().preprocessing = bytes.to_vec(),
            _ => {}
        }
        self.write_with(name, &|file| file.write_all(bytes));
    }

    /// Writes a file with this content like [`RunDir::write`]. Returns whether it is in the run directory.
    pub fn write_with(&self, name: &str, content: Content) -> bool {
        let mut state = self.state();
        match self.write_with_retries(name, content, &mut state) {
            Ok(()) => {
                state.written.insert(name.to_owned());
                state.lost.remove(name);
                state.remove_fallback_copy(name);
                self.move_from_fallback(&mut state);
                true
            }
            Err(_) if !self.may_write() => false,
            Err(error) => {
                state.reason.get_or_insert_with(|| error.to_string());
                state.write_to_fallback(name, content, &self.fallback_roots, &self.fallback_name());
                false
            }
        }
    }

    /// Writes a file atomically, without retries or a fallback directory.
    ///
    /// # Errors
    /// When it cannot be written. An existing file with this name is kept.
    pub fn try_write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.try_write_with(name, &|file| file.write_all(bytes))
    }

    /// Writes a file with this content like [`RunDir::try_write`].
    ///
    /// # Errors
    /// As there.
    pub fn try_write_with(&self, name: &str, content: Content) -> anyhow::Result<()> {
        self.write_once(name, content, &mut self.state())
            .with_context(|| format!("failed to write `{}`", self.file(name).display()))
    }

    /// Whether a file with this name was written and is in the run directory.
    pub fn has_file(&self, name: &str) -> bool {
        let state = self.state();
        let is_elsewhere = state.in_fallback.iter().any(|file| file.ends_with(name)) || state.lost.contains(name);
        state.written.contains(name) && !is_elsewhere && self.file(name).is_file()
    }

    /// Returns the problems that occurred while writing; `None` if there were none.
    pub fn write_errors(&self) -> Option<WriteErrors> {
        let state = self.state();
        let is_gone = |name: &&String| !state.lost.contains(*name) && !self.file(name).exists();
        let is_rescued = |name: &&String| state.in_fallback.iter().any(|file| file.ends_with(name.as_str()));
        let write_errors = WriteErrors {
            reason: state.reason.clone(),
            in_fallback: state.in_fallback.clone(),
            lost: state.lost.iter().cloned().collect(),
            fallback_errors: state.fallback_errors.clone(),
            was_recreated: state.was_recreated,
            missing: state.written.iter().filter(|name| is_gone(name) && !is_rescued(name)).cloned().collect(),
        };
        (write_errors.was_recreated || write_errors.is_incomplete()).then_some(write_errors)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Name of the run's fallback directory: `<experiment>-<run>`; of a stack of a sweep, `<experiment>-<sweep>-<stack>`.
    fn fallback_name(&self) -> String {
        let whole = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut names: Vec<String> =
            whole.iter().rev().take(4).map(|name| name.to_string_lossy().replace(['/', '\\'], "-")).collect();
        match names.get(1).is_some_and(|parent| parent == "stacks") {
            true => drop(names.remove(1)),
            false => names.truncate(2),
        }
        names.reverse();
        names.join("-").trim_start_matches('-').to_owned()
    }

    /// Writes a file; waits and retries if that may help.
    fn write_with_retries(&self, name: &str, content: Content, state: &mut State) -> Result<(), Error> {
        let mut retries = 0;
        loop {
            let error = match self.write_once(name, content, state) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_patient = state.reason.is_none() && self.may_write(); // after one failure of all retries, later files are not retried
            let Some(pause) = retry_delays(&error).get(retries).filter(|_| is_patient) else { return Err(error) };
            std::thread::sleep(Duration::from_millis(*pause));
            retries += 1;
        }
    }

    /// Writes a file once; creates the run directory again if it was removed.
    fn write_once(&self, name: &str, content: Content, state: &mut State) -> Result<(), Error> {
        match self.put(name, content) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.path.symlink_metadata().is_err() => {
                self.recreate(state)?;
                self.put(name, content)
            }
            written => written,
        }
    }

    /// Creates the removed run directory again, with its lock and its main files.
    fn recreate(&self, state: &mut State) -> Result<(), Error> {
        std::fs::create_dir_all(&self.path)?;
        state.was_recreated = true;
        state.lock = Lock::take(&self.path).ok(); // saving the files matters more than the lock
        let texts = [(EXPERIMENT, &state.resolved), (RECORD, &state.record), (PREPROCESSING, &state.preprocessing)];
        for (name, bytes) in texts {
            if !bytes.is_empty() {
                atomic_write::put(&self.file(name), bytes)?;
            }
        }
        if self.lease.is_none() {
            self.path.parent().into_iter().for_each(|parent| create_latest(parent, &self.path));
        }
        Ok(())
    }

    /// Moves files from the fallback directory into the run directory, which has just accepted a file.
    fn move_from_fallback(&self, state: &mut State) {
        while let Some(file) = state.in_fallback.first().cloned() {
            let Some(name) = file.file_name().map(|name| name.to_string_lossy().into_owned()) else { return };
            let brought = std::fs::read(&file).and_then(|bytes| atomic_write::put(&self.file(&name), &bytes));
            if brought.is_err() {
                return; // they stay in the fallback directory
            }
            state.written.insert(name.clone());
            state.remove_fallback_copy(&name);
        }
        if state.lost.is_empty() {
            state.reason = None; // the next error is retried again
        }
    }
}

/// Milliseconds to wait before each retry: a full disk may get room, a network may come back; missing permissions stay.
fn retry_delays(error: &Error) -> &'static [u64] {
    use ErrorKind::{
        AlreadyExists, FileTooLarge, InvalidFilename, IsADirectory, NotADirectory, PermissionDenied, ReadOnlyFilesystem,
    };
    match error.kind() {
        ReadOnlyFilesystem | PermissionDenied | NotADirectory | IsADirectory | AlreadyExists | FileTooLarge
        | InvalidFilename => &[100],
        _ => &[100, 200, 400, 800, 1500, 2000],
    }
}

fn creation_error(parent: &Path, error: Error) -> anyhow::Error {
    let hint = Hint("choose a writable directory: `--out DIR`".to_owned());
    let message = format!("failed to create the run directory in `{}`", parent.display());
    anyhow::Error::new(error).context(message).context(hint)
}

mod leased;
#[cfg(test)]
mod tests;
