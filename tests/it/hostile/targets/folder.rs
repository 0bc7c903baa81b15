//! A temporary directory for the files that the targets read.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    /// A temporary directory in memory if possible, otherwise on disk.
    pub static DIRECTORY: TempDir = {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        TempDir::with_prefix_in("runner-hostile-", folder).expect("a directory can be created")
    };
}

/// Writes these bytes to a file of the directory and returns its path.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = DIRECTORY.with(|directory| directory.path().join(name));
    std::fs::write(&path, bytes).expect("the directory is writable");
    path
}
