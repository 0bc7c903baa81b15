//! A trial to be exported, and a file to be written.

use std::path::{Path, PathBuf};

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

/// Returns the directory of a run among the exported runs: EXPERIMENT/RUN. `run` is the run directory.
pub fn folder_of_run(experiment: &str, run: &Path) -> PathBuf {
    let folder = run.canonicalize().unwrap_or_else(|_| run.to_path_buf()); // `latest` is a link
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    // names in a history may come from anyone: they must not lead out of the directory
    let safe = |name: &str| name.replace(['/', '\\', ':'], "_").trim_start_matches('.').to_owned();
    Path::new(&safe(experiment)).join(safe(&name))
}
