//! A folder for the files that the targets read.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    /// A folder in memory, where there is one.
    pub static PLACE: TempDir = {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        TempDir::with_prefix_in("runner-hostile-", folder).expect("a folder can be made")
    };
}

/// The path of a file in the folder that holds these bytes.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PLACE.with(|place| place.path().join(name));
    std::fs::write(&path, bytes).expect("the folder can be written to");
    path
}
