//! What has become of files that could not simply be written.

use std::path::PathBuf;

/// What has become of files that could not simply be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WriteErrors {
    /// Why the folder did not take files: what the system said first.
    pub reason: Option<String>,
    /// Where those files lie now.
    pub rescued: Vec<PathBuf>,
    /// The names of files that no place took.
    pub lost: Vec<String>,
    /// What each of the fall-back places said to them.
    pub refusals: Vec<String>,
    /// Whether the folder was removed while the run went on, and made anew.
    pub is_anew: bool,
    /// The names of files that were written and are gone since.
    pub missing: Vec<String>,
}

impl WriteErrors {
    /// Whether the folder lacks a file.
    pub fn is_incomplete(&self) -> bool {
        !(self.rescued.is_empty() && self.lost.is_empty() && self.missing.is_empty())
    }
}
