//! A run directory whose writer is the holder of a lease, as for the stacks of a sweep.
//!
//! Locks of files are local to a machine on some network file systems, and remain after the death of a machine on
//! others. So the lock of a leased directory only informs other commands, and a process that has lost the lease writes
//! nothing more: its files are complete, but never get their names.
//!
//! Only checkpoints are flushed to disk at once. All other files are flushed together at the end, before the holder of the
//! lease publishes its result: after a power failure before that, the run is repeated from its checkpoint.

use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::io::atomic_write::{self, Content};
use crate::run_dir::directory::{RECORD, RunDir, creation_error};
use crate::run_dir::lease_check::LeaseCheck;
use crate::run_dir::lock::Lock;
use crate::run_dir::state::EXPERIMENT;

/// File name of the checkpoint.
const CHECKPOINT: &str = "checkpoint.safetensors";

impl RunDir {
    /// Opens the directory at `path` for the holder of a lease, and creates it if it does not exist.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn open_leased(path: &Path, lease: LeaseCheck) -> anyhow::Result<RunDir> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(creation_error(path.parent().unwrap_or(path), error));
            }
            _ => {}
        }
        let run_dir = RunDir::reopen(path.to_path_buf(), Lock::take(path).ok());
        Ok(RunDir { lease: Some(lease), ..run_dir })
    }

    /// Writes the first files of a new run: the resolved experiment, and the files `beside` it, in this order.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn begin(&self, resolved: &str, beside: &[(&str, &[u8])]) -> anyhow::Result<()> {
        {
            let mut state = self.state();
            state.resolved = resolved.into();
            let record = beside.iter().find(|(name, _)| *name == RECORD);
            state.record = record.map(|(_, bytes)| bytes.to_vec()).unwrap_or_default();
        }
        self.try_write(EXPERIMENT, resolved.as_bytes())?;
        beside.iter().try_for_each(|(name, bytes)| self.try_write(name, bytes))
    }

    /// Flushes all files to disk. If that fails, the run record is removed, so that the run is repeated.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn flush(&self) -> Result<(), Error> {
        atomic_write::sync_all(&self.path).inspect_err(|_| drop(std::fs::remove_file(self.file(RECORD))))
    }

    /// Writes a file, unless the lease is lost.
    pub(super) fn put(&self, name: &str, content: Content) -> Result<(), Error> {
        let path = self.file(name);
        let content: Content = &|file| content(file).and_then(|()| self.check_lease());
        match self.lease.is_some() && name != CHECKPOINT {
            true => atomic_write::put_unsynced(&path, content),
            false => atomic_write::put_with(&path, content),
        }
    }

    /// Whether no lease forbids this process to write.
    pub(super) fn may_write(&self) -> bool {
        self.lease.as_ref().is_none_or(LeaseCheck::is_held)
    }

    /// Returns an error if the lease is lost.
    fn check_lease(&self) -> Result<(), Error> {
        match self.may_write() {
            true => Ok(()),
            false => {
                let message = "another process has taken over the run";
                Err(Error::new(ErrorKind::PermissionDenied, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_process_that_has_lost_the_lease_changes_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("S000");
        let is_held = Arc::new(AtomicBool::new(true));
        let check = Arc::clone(&is_held);
        let first = RunDir::open_leased(&path, LeaseCheck::new(move || check.load(Ordering::Relaxed))).unwrap();
        first.begin("title = \"x\"", &[(RECORD, b"{}")]).unwrap();
        first.write("a.json", b"first");
        assert!(first.has_file("a.json"));

        // although the first process still holds the file lock
        let second = RunDir::open_leased(&path, LeaseCheck::new(|| true)).unwrap();
        is_held.store(false, Ordering::Relaxed);
        second.write("a.json", b"second");
        first.write("a.json", b"late");
        first.write("b.json", b"late");
        assert!(first.try_write("c.json", b"late").unwrap_err().to_string().contains("c.json"));
        assert_eq!(std::fs::read(path.join("a.json")).unwrap(), b"second");
        let mut names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", "a.json", EXPERIMENT, RECORD], "no temporary and no new file");
        assert!(first.write_errors().is_none_or(|errors| errors.in_fallback.is_empty() && errors.lost.is_empty()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no link `latest`");
    }
}
