//! The file `stop`: workers that see it save a checkpoint and leave.

use std::io::{ErrorKind, Result};

use crate::io::bounded_file;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::create_once::{create_once, exists};

/// File name in the directory of a sweep.
pub const FILE: &str = "stop";

/// Asks all workers to stop. Returns whether nobody had asked before.
///
/// # Errors
/// When the file cannot be written.
pub fn request(dir: &SweepDir, reason: &str) -> Result<bool> {
    create_once(&dir.file(FILE), format!("{reason}\n").as_bytes())
}

/// Whether the workers are asked to stop.
pub fn is_requested(dir: &SweepDir) -> bool {
    exists(&dir.file(FILE)).unwrap_or(false)
}

/// Returns why the workers are asked to stop; `None` if they are not.
pub fn reason(dir: &SweepDir) -> Option<String> {
    const LONGEST: u64 = 65_536;
    let text = bounded_file::read_to_string(&dir.file(FILE), LONGEST).ok()?;
    Some(text.trim().to_owned())
}

/// Withdraws the request.
///
/// # Errors
/// When the file cannot be removed.
pub fn withdraw(dir: &SweepDir) -> Result<()> {
    match std::fs::remove_file(dir.file(FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
