//! Where a run's files go that its own folder does not take: `rescued/<experiment>-<run>/` in the user's cache folder,
//! in the one that `RUNNER_DATA_DIR` names, or at last in the system's folder for temporary files. They lie on other
//! disks often enough that one of them has room.

use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

use crate::data::store::cache::Cache;

/// How the name of a folder begins that lies among those of all users.
const UNGUESSED: &str = "runner-rescued-";

/// A folder that a fall-back place can be made in.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// One of this user's.
    Own(PathBuf),
    /// One that all users write to, so that a name which others can guess may be a trap.
    Shared(PathBuf),
}

impl Base {
    /// All of them, in the order in which they are tried.
    pub(super) fn all() -> Vec<Base> {
        let of_system = Cache::of_system().map(|cache| cache.folder().to_path_buf());
        let named = Cache::of_user().folder().to_path_buf();
        let mut folders: Vec<PathBuf> = of_system.into_iter().chain([named]).collect();
        folders.dedup();
        let own = folders.into_iter().filter_map(|folder| std::path::absolute(folder).ok()).map(Base::Own);
        own.chain([Base::Shared(std::env::temp_dir())]).collect()
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        match self {
            Base::Own(folder) | Base::Shared(folder) => folder,
        }
    }

    /// Makes the place of one run in it, which no other run has.
    ///
    /// # Errors
    /// When no folder can be made there.
    pub(super) fn make(&self, run: &str) -> Result<PathBuf> {
        let parent = match self {
            Base::Own(folder) => folder.join("rescued"),
            Base::Shared(folder) => tempfile::Builder::new().prefix(UNGUESSED).tempdir_in(folder)?.keep(),
        };
        std::fs::create_dir_all(&parent)?;
        create_first_free(&parent, run)
    }
}

/// Removes a place that is empty again, and what was made for it alone.
pub(super) fn remove(place: &Path) {
    let parent = place
        .parent()
        .filter(|parent| parent.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNGUESSED)));
    // what cannot be removed is in nobody's way
    let _ = std::fs::remove_dir(place).and_then(|()| parent.map_or(Ok(()), std::fs::remove_dir));
}

/// Creates a folder of this name, or with a number behind it where the name is taken.
///
/// # Errors
/// When it cannot be created.
pub(super) fn create_first_free(parent: &Path, name: &str) -> Result<PathBuf> {
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
        for base in [Base::Own(folder.path().join("cache")), Base::Shared(folder.path().to_path_buf())] {
            let (first, second) = (base.make("digits-1").unwrap(), base.make("digits-1").unwrap());
            assert!(first.is_dir() && second.is_dir());
            assert_ne!(first, second);
            assert!(first.starts_with(folder.path()));
        }
    }
}
