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

use anyhow::Context;

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
    /// When it cannot be created, or the lease is lost already.
    pub fn open_leased(path: &Path, lease: LeaseCheck) -> anyhow::Result<RunDir> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(creation_error(path.parent().unwrap_or(path), error));
            }
            _ => {}
        }
        let lock = Lock::take(path).ok();
        // before temporary files are removed, which may be those of another holder
        check(lease.is_held()).with_context(|| format!("failed to open `{}`", path.display()))?;
        let run_dir = RunDir::reopen(path.to_path_buf(), lock);
        Ok(RunDir { lease: Some(lease), ..run_dir })
    }

    /// Whether a lease decides whether this process may write.
    pub fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// Removes a file, unless the lease is lost. A file that cannot be removed stays.
    pub fn remove(&self, name: &str) {
        if self.may_write() {
            let _ = std::fs::remove_file(self.file(name));
        }
    }

    /// Removes all files of the run, the record last, so that a process that continues after a crash removes the rest.
    ///
    /// # Errors
    /// When a file cannot be removed, or the lease is lost.
    pub fn clear(&self) -> Result<(), Error> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if !name.to_string_lossy().starts_with('.') {
                names.push(name);
            }
        }
        names.sort_by_key(|name| name == RECORD);
        for name in names {
            check(self.may_write())?;
            std::fs::remove_file(self.path.join(name))?;
        }
        Ok(())
    }

    /// Writes the first files of a new run: the resolved experiment, and the files `beside` it, in this order.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn begin(&self, resolved: &str, beside: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
        {
            let mut state = self.state();
            state.resolved = resolved.into();
            let record = beside.iter().find(|(name, _)| name == RECORD);
            state.record = record.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        }
        self.try_write(EXPERIMENT, resolved.as_bytes())?;
        beside.iter().try_for_each(|(name, bytes)| self.try_write(name, bytes))
    }

    /// Flushes all files and the name of the directory to disk. If that fails, the run record is removed, so that the run
    /// is repeated.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn flush(&self) -> Result<(), Error> {
        let sync_name = || self.path.parent().map_or(Ok(()), atomic_write::sync_folder);
        atomic_write::sync_all(&self.path).and_then(|()| sync_name()).inspect_err(|_| self.remove(RECORD))
    }

    /// Writes a file, unless the lease is lost. The lease is checked after the flush, which takes long on some disks.
    pub(super) fn put(&self, name: &str, content: Content) -> Result<(), Error> {
        let path = self.file(name);
        let is_synced = self.lease.is_none() || name == CHECKPOINT;
        atomic_write::put_unsynced(&path, &|file| {
            content(file)?;
            if is_synced {
                atomic_write::sync(file)?;
            }
            check(self.may_write())
        })?;
        if is_synced { atomic_write::sync_folder(&self.path) } else { Ok(()) }
    }

    /// Whether no lease forbids this process to write.
    pub fn may_write(&self) -> bool {
        self.lease.as_ref().is_none_or(LeaseCheck::is_held)
    }
}

/// Returns an error if this process may not write, since it has lost the lease.
fn check(may_write: bool) -> Result<(), Error> {
    match may_write {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::PermissionDenied, "another process has taken over the run")),
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
        first.begin("title = \"x\"", &[(RECORD.to_owned(), b"{}".to_vec())]).unwrap();
        first.write("a.json", b"first");
        assert!(first.has_file("a.json"));

        // although the first process still holds the file lock
        let second = RunDir::open_leased(&path, LeaseCheck::new(|| true)).unwrap();
        is_held.store(false, Ordering::Relaxed);
        second.write("a.json", b"second");
        first.write("a.json", b"late");
        first.write("b.json", b"late");
        assert!(first.try_write("c.json", b"late").unwrap_err().to_string().contains("c.json"));
        first.remove("a.json");
        assert!(first.clear().is_err());
        let part = path.join(format!(".b.json.{}.part", std::process::id()));
        std::fs::write(&part, b"of the second").unwrap();
        assert!(RunDir::open_leased(&path, LeaseCheck::new(|| false)).is_err());
        assert!(part.exists(), "a temporary file of the other process");
        std::fs::remove_file(part).unwrap();
        assert_eq!(std::fs::read(path.join("a.json")).unwrap(), b"second");
        let mut names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", "a.json", EXPERIMENT, RECORD], "no temporary and no new file");
        assert!(first.write_errors().is_none_or(|errors| errors.in_fallback.is_empty() && errors.lost.is_empty()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no link `latest`");
    }

    #[test]
    fn a_lease_that_is_lost_while_a_checkpoint_is_written_leaves_no_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("S000");
        let is_held = Arc::new(AtomicBool::new(true));
        let check = Arc::clone(&is_held);
        let run = RunDir::open_leased(&path, LeaseCheck::new(move || check.load(Ordering::Relaxed))).unwrap();
        run.begin("title = \"x\"", &[(RECORD.to_owned(), b"{}".to_vec())]).unwrap();
        let content: Content = &|file| {
            is_held.store(false, Ordering::Relaxed);
            std::io::Write::write_all(file, b"state")
        };
        assert!(!run.write_with(CHECKPOINT, content));
        assert!(!run.file(CHECKPOINT).exists());
    }

    #[test]
    fn a_run_is_removed_with_its_record_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("S000");
        let run = RunDir::open_leased(&path, LeaseCheck::new(|| true)).unwrap();
        run.begin("title = \"x\"", &[(RECORD.to_owned(), b"{}".to_vec())]).unwrap();
        run.write("zz.json", b"last by name");
        std::fs::create_dir(path.join("a folder")).unwrap();
        assert!(run.clear().is_err(), "no file");
        assert!(run.file(RECORD).exists());
        std::fs::remove_dir(path.join("a folder")).unwrap();
        run.clear().unwrap();
        let names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [".lock"]);
    }
}
