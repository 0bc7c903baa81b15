//! The data cache: `$RUNNER_DATA_DIR`, else the platform's cache folder (`~/.cache/runner` on Linux).
//!
//! Every file is checked against its checksum each time it is loaded; a wrong one is an error that names the file and
//! both sums, and nothing is deleted.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::data::store::hashed_file;
use crate::data::store::manifest::{DataFile, Manifest};

/// The folder that fetched files are kept in.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A cached file is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there.
    #[error("`{}` has not been fetched", .0.display())]
    Missing(PathBuf),
    /// It has another checksum.
    #[error("`{}` is damaged: its SHA-256 is {found}, and {wanted} is right", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The right sum.
        wanted: String,
        /// Its sum.
        found: String,
    },
    /// It has another size.
    #[error("`{}` is damaged: it has {found} bytes, and {wanted} are right", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// The right size.
        wanted: u64,
        /// Its size.
        found: u64,
    },
    /// It cannot be read.
    #[error("failed to read `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl Cache {
    /// The cache of this user.
    pub fn of_user() -> Self {
        let named = std::env::var_os("RUNNER_DATA_DIR").filter(|folder| !folder.is_empty());
        // absolute, for the program may change its folder
        let absolute = |folder: PathBuf| std::path::absolute(&folder).unwrap_or(folder);
        let named = named.map(|folder| Cache { folder: absolute(PathBuf::from(folder)) });
        named.or_else(Cache::of_system).unwrap_or_else(|| Cache { folder: std::env::temp_dir().join("runner") })
    }

    /// The cache in the platform's own folder for caches, whatever `RUNNER_DATA_DIR` says; `None` of a user without one.
    pub fn of_system() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "runner")?;
        Some(Cache { folder: dirs.cache_dir().to_path_buf() })
    }

    /// A cache in this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Cache { folder: folder.into() }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one data set.
    pub fn folder_of(&self, manifest: &Manifest) -> PathBuf {
        self.folder.join(&manifest.name)
    }

    /// Where a file is, once it is fetched.
    pub fn path(&self, manifest: &Manifest, file: &DataFile) -> PathBuf {
        self.folder_of(manifest).join(&file.name)
    }

    /// Reads one file, and checks it.
    ///
    /// # Errors
    /// When it is missing, unreadable, or not what its checksum says.
    pub fn read(&self, manifest: &Manifest, file: &DataFile) -> Result<Vec<u8>, Fault> {
        let path = self.path(manifest, file);
        let size = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            // a file where a folder should be is found when the folder is made
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(Fault::Missing(path));
            }
            Err(error) => return Err(Fault::Unreadable { path, error }),
        };
        if size != file.bytes {
            return Err(Fault::WrongSize { path, wanted: file.bytes, found: size });
        }
        let read = hashed_file::read(&path).map_err(|error| Fault::Unreadable { path: path.clone(), error });
        let (bytes, found) = read?;
        if found == file.sha256 { Ok(bytes) } else { Err(Fault::Damaged { path, wanted: file.sha256.clone(), found }) }
    }
}
