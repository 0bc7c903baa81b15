//! A run's folder: `runs/<experiment>/<UTC time>-<6 hex of the resolved experiment>/`.
//!
//! It is created exclusively, so two runs never share one, and it is locked while a run writes to it. `latest` beside it
//! points to the newest run that finished.
//!
//! What a run has trained is in memory until it is written, and is not given up for a fault of the disk: [`RunDir::write`]
//! tries again for some seconds, makes a folder that was removed anew, and at last writes to a place of its own
//! elsewhere, from where it brings the files home once the folder takes them. What it came to says [`RunDir::trouble`].

mod fallback;
pub mod latest;
mod lock;
mod state;
pub mod trouble;

use std::collections::BTreeSet;
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
use crate::run_dir::fallback::Base;
use crate::run_dir::latest::{LATEST, point_first_to, without_link};
use crate::run_dir::lock::{Lock, Refused};
use crate::run_dir::state::{EXPERIMENT, State};
use crate::run_dir::trouble::WriteErrors;

/// The record of the run, by which it goes on.
const RECORD: &str = "run.json";

/// What was fitted to the training rows.
const PREPROCESSING: &str = "preprocessing.json";

/// How long what a killed process has left is let alone where no lock says that it is nobody's.
const OLD: Duration = Duration::from_secs(3600);

/// A folder that one run writes to, locked until the last of its clones is dropped.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    bases: Vec<Base>,
    state: Arc<Mutex<State>>,
}

impl RunDir {
    /// Checks that a run's folder could be created under `out`, before anything is fetched or trained for it.
    ///
    /// # Errors
    /// When it could not.
    pub fn check(out: &Path, experiment: &str) -> anyhow::Result<()> {
        let parent = out.join(experiment);
        for entry in std::fs::read_dir(out).into_iter().flatten().flatten() {
            let other = entry.file_name().to_string_lossy().into_owned();
            if other != experiment && file_names::are_one_file(&other, experiment) {
                let difference = file_names::difference(&other, experiment);
                return Err(anyhow!("in `{}`, experiments `{experiment}` and `{other}` {difference}", out.display())
                    .context(Hint("set another `name` in the file, or another folder with `--out`".to_owned())));
            }
        }
        atomic_write::can_write(&parent).map_err(|error| cannot_create(&parent, error))
    }

    /// Creates the folder of a new run under `out`, locks it, and writes the resolved experiment into it, and files
    /// beside that. Where there is no `latest` yet, it points to this run.
    ///
    /// # Errors
    /// When it cannot be created or written to; nothing is left behind.
    pub fn create(
        out: &Path,
        experiment: &str,
        resolved: &str,
        beside: &[(&str, &[u8])],
        started: OffsetDateTime,
    ) -> anyhow::Result<RunDir> {
        let parent = out.join(experiment);
        std::fs::create_dir_all(&parent).map_err(|error| cannot_create(&parent, error))?;
        atomic_write::sweep(&parent, OLD);
        let stamp = started
            .format(format_description!("[year]-[month]-[day]T[hour][minute][second]Z"))
            .context("failed to write the time")?;
        let name = format!("{stamp}-{}", &sha256(resolved.as_bytes())[..6]);
        let path = fallback::create_first_free(&parent, &name).map_err(|error| cannot_create(&parent, error))?;
        let files = [(EXPERIMENT, resolved.as_bytes())].into_iter().chain(beside.iter().copied());
        let begun = Lock::take(&path).map_err(Error::from).and_then(|lock| {
            files.clone().try_for_each(|(name, bytes)| atomic_write::put(&path.join(name), bytes)).map(|()| lock)
        });
        let lock = begun.map_err(|error| {
            // nothing is in it but these; the first error is the one to tell
            files.for_each(|(name, _)| drop(std::fs::remove_file(path.join(name))));
            let _ = std::fs::remove_dir(&path);
            cannot_create(&parent, error)
        })?;
        // names that are not on the disk yet may be there in a moment; the files in them are told of when they are not
        let _ = atomic_write::sync_folder(&parent).and_then(|()| atomic_write::sync_folder(out));
        point_first_to(&parent, &path);
        let record = beside.iter().find(|(name, _)| *name == RECORD).map(|(_, bytes)| bytes.to_vec());
        Ok(RunDir::of(path, lock, resolved.into(), record.unwrap_or_default()))
    }

    /// Opens the folder of a run that is to go on, locks it, and removes the halves of files that its last writer left.
    ///
    /// # Errors
    /// When there is no such folder, another process writes to it, or it cannot be written to.
    pub fn open(path: &Path) -> anyhow::Result<RunDir> {
        let path = without_link(path);
        let shown = path.display();
        if !path.is_dir() {
            return Err(anyhow!("there is no folder `{shown}`"));
        }
        let lock = Lock::take(&path).map_err(|refused| match refused {
            Refused::Held(process) => {
                let process = process.map(|number| format!(", process {number}")).unwrap_or_default();
                let hint = "let it end, or stop it; a run has one writer".to_owned();
                anyhow!("`{shown}` is being written by another runner{process}").context(Hint(hint))
            }
            Refused::Failed(error) => {
                let hint = "make the run directory writable to resume".to_owned();
                anyhow::Error::new(error).context(format!("failed to lock `{shown}`")).context(Hint(hint))
            }
        })?;
        atomic_write::sweep(&path, if lock.is_held() { Duration::ZERO } else { OLD });
        // a copy of a run may have lost them
        let read = |name: &str, most| bounded_file::read(&path.join(name), most).unwrap_or_default();
        let (resolved, record) = (read(EXPERIMENT, bounded_file::EXPERIMENT), read(RECORD, bounded_file::JSON));
        Ok(RunDir::of(path, lock, resolved, record))
    }

    fn of(path: PathBuf, lock: Lock, resolved: Vec<u8>, record: Vec<u8>) -> RunDir {
        let state = State {
            lock: Some(lock),
            resolved,
            record,
            preprocessing: Vec::new(),
            written: BTreeSet::new(),
            is_anew: false,
            rescued: Vec::new(),
            places: Vec::new(),
            lost: BTreeSet::new(),
            reason: None,
            refusals: Vec::new(),
        };
        RunDir { path, bases: Base::all(), state: Arc::new(Mutex::new(state)) }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `latest` beside it, where that is a folder and no link: a copy of runs may have made one of it.
    pub fn latest_that_is_no_link(&self) -> Option<PathBuf> {
        let latest = self.path.parent()?.join(LATEST);
        (latest.is_dir() && !latest.is_symlink()).then_some(latest)
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file of this name, whole or not at all, and does not give up at the first fault: it is tried again for
    /// some seconds, and then written to a fall-back place. Once one was, each further file is tried here once.
    ///
    /// It has no error, for the run is to go on: where no place takes the file, that is told by [`RunDir::trouble`].
    pub fn write(&self, name: &str, bytes: &[u8]) {
        match name {
            RECORD => self.state().record = bytes.to_vec(),
            PREPROCESSING => self.state().preprocessing = bytes.to_vec(),
            _ => {}
        }
        self.write_with(name, &|file| file.write_all(bytes));
    }

    /// Writes a file with this content as [`RunDir::write`] does. Says whether it is in the folder.
    pub fn write_with(&self, name: &str, content: Content) -> bool {
        let mut state = self.state();
        match self.write_patiently(name, content, &mut state) {
            Ok(()) => {
                state.written.insert(name.to_owned());
                state.lost.remove(name);
                state.forget_rescued(name);
                self.copy_to_fallback(&mut state);
                true
            }
            Err(error) => {
                state.reason.get_or_insert_with(|| error.to_string());
                state.rescue(name, content, &self.bases, &self.title());
                false
            }
        }
    }

    /// Writes a file of this name, whole or not at all; it is tried once, and here alone.
    ///
    /// # Errors
    /// When it cannot be written. What was there under the name stays.
    pub fn try_write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.try_write_with(name, &|file| file.write_all(bytes))
    }

    /// Writes a file with this content as [`RunDir::try_write`] does.
    ///
    /// # Errors
    /// As there.
    pub fn try_write_with(&self, name: &str, content: Content) -> anyhow::Result<()> {
        self.write_once(name, content, &mut self.state())
            .with_context(|| format!("failed to write `{}`", self.file(name).display()))
    }

    /// Whether a file of this name was written, and lies here.
    pub fn has_taken(&self, name: &str) -> bool {
        let state = self.state();
        let is_elsewhere = state.rescued.iter().any(|file| file.ends_with(name)) || state.lost.contains(name);
        state.written.contains(name) && !is_elsewhere && self.file(name).is_file()
    }

    /// What has become of files that could not simply be written; `None` where all is well.
    pub fn trouble(&self) -> Option<WriteErrors> {
        let state = self.state();
        let is_gone = |name: &&String| !state.lost.contains(*name) && !self.file(name).exists();
        let is_rescued = |name: &&String| state.rescued.iter().any(|file| file.ends_with(name.as_str()));
        let trouble = WriteErrors {
            reason: state.reason.clone(),
            rescued: state.rescued.clone(),
            lost: state.lost.iter().cloned().collect(),
            refusals: state.refusals.clone(),
            is_anew: state.is_anew,
            missing: state.written.iter().filter(|name| is_gone(name) && !is_rescued(name)).cloned().collect(),
        };
        (trouble.is_anew || trouble.is_incomplete()).then_some(trouble)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run's name in a place where there are others: `<experiment>-<folder>`.
    fn title(&self) -> String {
        let whole = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let names: Vec<String> =
            whole.iter().rev().take(2).map(|name| name.to_string_lossy().replace(['/', '\\'], "-")).collect();
        names.into_iter().rev().collect::<Vec<_>>().join("-").trim_start_matches('-').to_owned()
    }

    /// Writes a file, and waits and tries again where that may help.
    fn write_patiently(&self, name: &str, content: Content, state: &mut State) -> Result<(), Error> {
        let mut tried = 0;
        loop {
            let error = match self.write_once(name, content, state) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_patient = state.reason.is_none(); // what was waited for in vain once is not waited for again
            let Some(pause) = pauses(&error).get(tried).filter(|_| is_patient) else { return Err(error) };
            std::thread::sleep(Duration::from_millis(*pause));
            tried += 1;
        }
    }

    /// Writes a file; a folder that is no longer there is made anew.
    fn write_once(&self, name: &str, content: Content, state: &mut State) -> Result<(), Error> {
        match atomic_write::put_with(&self.file(name), content) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.path.symlink_metadata().is_err() => {
                self.recreate(state)?;
                atomic_write::put_with(&self.file(name), content)
            }
            written => written,
        }
    }

    /// Makes the folder that was removed anew: a run's, locked.
    fn recreate(&self, state: &mut State) -> Result<(), Error> {
        std::fs::create_dir_all(&self.path)?;
        state.is_anew = true;
        state.lock = Lock::take(&self.path).ok(); // what matters now is that the files are kept
        let texts = [(EXPERIMENT, &state.resolved), (RECORD, &state.record), (PREPROCESSING, &state.preprocessing)];
        for (name, bytes) in texts {
            if !bytes.is_empty() {
                atomic_write::put(&self.file(name), bytes)?;
            }
        }
        self.path.parent().into_iter().for_each(|parent| point_first_to(parent, &self.path));
        Ok(())
    }

    /// Brings rescued files into the folder, which has just taken another one.
    fn copy_to_fallback(&self, state: &mut State) {
        while let Some(file) = state.rescued.first().cloned() {
            let Some(name) = file.file_name().map(|name| name.to_string_lossy().into_owned()) else { return };
            let brought = std::fs::read(&file).and_then(|bytes| atomic_write::put(&self.file(&name), &bytes));
            if brought.is_err() {
                return; // they are well where they are
            }
            state.written.insert(name.clone());
            state.forget_rescued(&name);
        }
        if state.lost.is_empty() {
            state.reason = None; // all is well again, and the next fault is waited for anew
        }
    }
}

/// How many milliseconds to wait before each further try. A disk is made room on, and a network comes back; what may not
/// be written to, or is no folder, stays so.
fn pauses(error: &Error) -> &'static [u64] {
    use ErrorKind::{
        AlreadyExists, FileTooLarge, InvalidFilename, IsADirectory, NotADirectory, PermissionDenied, ReadOnlyFilesystem,
    };
    match error.kind() {
        ReadOnlyFilesystem | PermissionDenied | NotADirectory | IsADirectory | AlreadyExists | FileTooLarge
        | InvalidFilename => &[100],
        _ => &[100, 200, 400, 800, 1500, 2000],
    }
}

fn cannot_create(parent: &Path, error: Error) -> anyhow::Error {
    let hint = Hint("name a folder that you can write to: `--out DIR`".to_owned());
    let message = format!("failed to create the run's folder in `{}`", parent.display());
    anyhow::Error::new(error).context(message).context(hint)
}

#[cfg(test)]
mod tests;
