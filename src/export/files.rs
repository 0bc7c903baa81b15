//! A trial to be exported, and a file to be written.

use std::path::PathBuf;

use crate::history::History;

/// A trial to be written.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// Name of its files, without extension.
    pub stem: String,
    /// Its history.
    pub history: &'a History,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path relative to the export folder.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}
