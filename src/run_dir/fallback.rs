//! The fallback directory for files that the run directory cannot take: `in_fallback/<experiment>-<run>/` in the user's
//! cache directory, in the directory that `RUNNER_DATA_DIR` names, or finally in the system's temporary directory.
//! These are often on different disks, so one of them probably has room.

use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

use crate::data::store::cache::Cache;

/// Prefix of a directory in the shared temporary directory.
const SHARED_PREFIX: &str = "runner-rescued-";

/// A directory that a fallback directory can be created in.
#[derive(Clone, Debug)]
pub(super) struct FallbackRoot {
    /// Path of the directory.
    pub(super) folder: PathBuf,
    /// Whether all users can write to it, so that a guessable name could be a trap.
    pub(super) is_shared: bool,
}

impl FallbackRoot {
    /// All of them, in the order they are tried.
    pub(super) fn all() -> Vec<FallbackRoot> {
        let of_system = Cache::for_system().map(|cache| cache.folder().to_path_buf());
        let named = Cache::for_user().folder().to_path_buf();
        let mut folders: Vec<PathBuf> = of_system.into_iter().chain([named]).collect();
        folders.dedup();
        let own =
            folders.into_iter().filter_map(|folder| std::path::absolute(folder).ok()).map(|folder| (folder, false));
        let all = own.chain([(std::env::temp_dir(), true)]);
        all.map(|(folder, is_shared)| FallbackRoot { folder, is_shared }).collect()
    }

    /// Creates a fallback directory for one run.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn make(&self, run: &str) -> Result<PathBuf> {
        let parent = match self.is_shared {
            true => tempfile::Builder::new().prefix(SHARED_PREFIX).tempdir_in(&self.folder)?.keep(),
            false => self.folder.join("rescued"),
        };
        std::fs::create_dir_all(&parent)?;
        create_numbered(&parent, run)
    }
}

/// Removes an empty fallback directory, and its parent if it was created for it.
pub(super) fn remove(directory: &Path) {
    let parent = directory
        .parent()
        .filter(|parent| parent.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SHARED_PREFIX)));
    // a directory that cannot be removed does no harm
    let _ = std::fs::remove_dir(directory).and_then(|()| parent.map_or(Ok(()), std::fs::remove_dir));
}

/// Creates a directory with this name, or with a number appended if the name is taken.
///
/// # Errors
/// When it cannot be created.
pub(super) fn create_numbered(parent: &Path, name: &str) -> Result<PathBuf> {
    let mut number = 1_u32;
    loop {
        let path = parent.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
            created => return created.map(|()| path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_name_have_places_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let roots = [(folder.path().join("cache"), false), (folder.path().to_path_buf(), true)];
        for root in roots.map(|(folder, is_shared)| FallbackRoot { folder, is_shared }) {
            let (first, second) = (root.make("digits-1").unwrap(), root.make("digits-1").unwrap());
            assert!(first.is_dir() && second.is_dir());
            assert_ne!(first, second);
            assert!(first.starts_with(folder.path()));
        }
    }
}
