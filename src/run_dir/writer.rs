//! Which process writes to a run directory, and how far it is.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;

/// Name of the lock file.
pub(super) const NAME: &str = ".lock";

/// Maximum number of bytes of the lock file: `PID EPOCH/EPOCHS`.
pub(super) const LONGEST: u64 = 64;

/// A process that writes to a run directory, or the last one if it was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    /// Whether it is still running.
    pub is_running: bool,
    /// Process ID.
    pub process: Option<u32>,
    /// Epoch and number of epochs of the stack in training.
    pub progress: Option<(usize, usize)>,
}

impl Writer {
    /// Returns the process that writes to a run directory, or was killed while it did; `None` if there is none.
    pub fn find(folder: &Path) -> Option<Writer> {
        let path = folder.join(NAME);
        if !path.symlink_metadata().ok()?.is_file() {
            return None;
        }
        let file = File::open(path).ok()?;
        // the lock is released at once; a process that wants to write waits longer than that
        let is_running = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        let _ = if is_running { Ok(()) } else { file.unlock() };
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        Some(Writer { is_running, ..parse(&text) })
    }
}

/// Parses the text of a lock file: `PID` or `PID EPOCH/EPOCHS`.
pub(super) fn parse(text: &str) -> Writer {
    let mut words = text.split_ascii_whitespace();
    let process = words.next().and_then(|word| word.parse().ok());
    let progress = words.next().and_then(|word| word.split_once('/'));
    let progress = progress.and_then(|(epoch, epochs)| Some((epoch.parse().ok()?, epochs.parse().ok()?)));
    Writer { is_running: false, process, progress }
}
