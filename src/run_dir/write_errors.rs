//! Problems that occurred while writing a run's files.

use std::path::PathBuf;

/// Problems that occurred while writing a run's files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WriteErrors {
    /// First error of the run directory.
    pub reason: Option<String>,
    /// Paths of files in a fallback directory.
    pub in_fallback: Vec<PathBuf>,
    /// Names of files that could not be written anywhere.
    pub lost: Vec<String>,
    /// Errors of the fallback directories.
    pub fallback_errors: Vec<String>,
    /// Whether the directory was removed during the run and created again.
    pub was_recreated: bool,
    /// Names of files that were written and have since been removed.
    pub missing: Vec<String>,
}

impl WriteErrors {
    /// Whether the run directory lacks a file.
    pub fn is_incomplete(&self) -> bool {
        !(self.in_fallback.is_empty() && self.lost.is_empty() && self.missing.is_empty())
    }
}
