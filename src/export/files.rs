//! A trial to be exported, and a file to be written.

use std::path::PathBuf;

use crate::history::History;

/// A trial to be written.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// The name of its files, without their endings.
    pub stem: String,
    /// Its history.
    pub history: &'a History,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder that all are written to.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}
