//! Deletes a run directory.

use std::io::Result;
use std::path::Path;

use crate::run_dir::lock::Lock;

/// Deletes a run directory with all its files.
///
/// # Errors
/// When a process writes to it, or a file cannot be deleted.
pub fn remove(folder: &Path) -> Result<()> {
    let lock = Lock::take(folder)?; // no process resumes it meanwhile
    let removed = std::fs::remove_dir_all(folder);
    drop(lock);
    removed
}
