//! The lock of a run directory: a file in it that the writing process keeps locked.
//!
//! The system releases the lock when the process ends, however it ends, so a crash leaves nothing to clean up. Some
//! network file systems cannot lock; there, directories have no lock.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::run_dir::writer::{self, LONGEST, NAME};

/// Minimum time between two updates of the progress in the lock file.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// The lock of a directory, released when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
    /// Whether the file system can lock, so that there is no second holder.
    is_held: bool,
    /// When the progress was last written.
    last_progress: Option<Instant>,
}

/// Why the lock could not be taken.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process holds it: its process ID, if it could be read.
    Held(Option<u32>),
    /// The lock file cannot be written.
    Failed(Error),
}

impl From<LockError> for Error {
    fn from(refused: LockError) -> Error {
        match refused {
            LockError::Held(_) => ErrorKind::ResourceBusy.into(),
            LockError::Failed(error) => error,
        }
    }
}

impl Lock {
    /// Locks a directory.
    pub(super) fn take(folder: &Path) -> Result<Lock, LockError> {
        const MOST: usize = 1_000; // no other process removes its lock this often in a row
        let mut patience = [5, 20].into_iter(); // milliseconds: a process that lists runs locks it for an instant
        let path = folder.join(NAME);
        for _ in 0..MOST {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
            let mut file = options.open(&path).map_err(LockError::Failed)?;
            if !file.metadata().map_err(LockError::Failed)?.is_file() {
                return Err(LockError::Failed(Error::new(ErrorKind::InvalidInput, format!("`{NAME}` is not a file"))));
            }
            let is_held = match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => match patience.next() {
                    Some(pause) => {
                        std::thread::sleep(Duration::from_millis(pause));
                        continue;
                    }
                    None => return Err(LockError::Held(read_process_id(&mut file))),
                },
                Err(TryLockError::Error(error)) if cannot_lock(&error) => false,
                Err(TryLockError::Error(error)) => return Err(LockError::Failed(error)),
            };
            if is_held && !is_same_file(&path, &file) {
                continue; // its holder removed it between our opening and locking it
            }
            // the process ID is only informative; on a full disk it may be missing
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            return Ok(Lock { path, file, is_held, last_progress: None });
        }
        Err(LockError::Failed(Error::new(
            ErrorKind::ResourceBusy,
            "other processes take and release it again and again",
        )))
    }

    /// Writes the epoch of the stack in training into the lock file, at most twice per second. It is only informative,
    /// so errors are ignored.
    pub(super) fn write_progress(&mut self, epoch: usize, epochs: usize) {
        if self.last_progress.is_some_and(|last| last.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        self.last_progress = Some(Instant::now());
        let text = format!("{} {epoch}/{epochs}", std::process::id());
        let length = text.len() as u64;
        let _ = self
            .file
            .rewind()
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.set_len(length));
    }

    /// Whether no other process can hold the lock too.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // while still locked: a process that opened it before and locks it afterwards sees that it is gone
        if is_same_file(&self.path, &self.file) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Reads the process ID in the file.
fn read_process_id(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    writer::parse(&text).process
}

/// Whether an error means that the file system has no locks.
fn cannot_lock(error: &Error) -> bool {
    let is_no_locks = matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput);
    #[cfg(unix)]
    let is_no_locks = is_no_locks || error.raw_os_error() == Some(libc::ENOLCK);
    is_no_locks
}

/// Whether the path still refers to the open file.
#[cfg(unix)]
fn is_same_file(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (path.symlink_metadata(), file.metadata()) {
        (Ok(named), Ok(open)) => place(named) == place(open),
        _ => false,
    }
}

/// Other systems do not remove open files.
#[cfg(not(unix))]
fn is_same_file(path: &Path, _file: &File) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_who_is_named_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        assert!(lock.is_held());
        match Lock::take(folder.path()) {
            Err(LockError::Held(Some(process))) => assert_eq!(process, std::process::id()),
            other => panic!("{other:?}"),
        }
        drop(lock);
        assert!(!folder.path().join(NAME).exists());
        drop(Lock::take(folder.path()).unwrap());
    }

    #[test]
    fn the_writer_and_its_progress_are_read_while_it_runs_and_after_it_was_killed() {
        use crate::run_dir::writer::Writer;
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Writer::find(folder.path()), None);
        let mut lock = Lock::take(folder.path()).unwrap();
        let process = Some(std::process::id());
        assert_eq!(Writer::find(folder.path()), Some(Writer { is_running: true, process, progress: None }));
        lock.write_progress(12, 200);
        let running = Writer { is_running: true, process, progress: Some((12, 200)) };
        assert_eq!(Writer::find(folder.path()), Some(running));
        drop(lock);
        assert_eq!(Writer::find(folder.path()), None);
        std::fs::write(folder.path().join(NAME), "42 7/9").unwrap();
        let killed = Writer { is_running: false, process: Some(42), progress: Some((7, 9)) };
        assert_eq!(Writer::find(folder.path()), Some(killed));
    }

    #[test]
    fn a_file_that_a_dead_process_left_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "4294967295 and more").unwrap();
        let _lock = Lock::take(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(NAME)).unwrap(), std::process::id().to_string());
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_of_a_folder_that_was_made_anew_is_left_to_its_new_holder() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join(NAME)).unwrap();
        let _second = Lock::take(folder.path()).unwrap();
        drop(first);
        assert!(folder.path().join(NAME).exists());
    }

    #[test]
    fn threads_that_take_and_drop_never_hold_it_together() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(lock) = Lock::take(folder.path()) {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            taken.fetch_add(1, Ordering::SeqCst);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 0);
        assert!(!folder.path().join(NAME).exists());
    }
}
