//! State of a file, which differs after a change.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// State of a regular file: where it is, its size, and when it was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct FileState {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
    identity: [i64; 4],
}

impl FileState {
    /// Returns the state of a file; `None` if it is no regular file: a pipe can be read only once.
    pub fn of(path: &Path) -> Option<FileState> {
        let found = fs::metadata(path).ok().filter(Metadata::is_file)?;
        let (bytes, modified) = (found.len(), found.modified().ok());
        Some(FileState { path: path.to_owned(), bytes, modified, identity: identity(&found) })
    }
}

/// Returns device, inode and the time of the last change of the metadata in seconds and nanoseconds.
#[cfg(unix)]
fn identity(found: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt;
    [found.dev() as i64, found.ino() as i64, found.ctime(), found.ctime_nsec()]
}

/// Other systems do not tell more than size and time.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 4] {
    [0; 4]
}
