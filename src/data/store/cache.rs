//! The data cache: `$RUNNER_DATA_DIR`, or the platform's cache folder (`~/.cache/runner` on Linux).
//!
//! Each file is checked against its SHA-256 whenever it is loaded. A wrong checksum is an error that names the file and
//! both checksums; nothing is deleted.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::data::store::hashed_file;
use crate::data::store::manifest::{DataFile, Manifest};

/// Folder of downloaded files.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// Reason why a cached file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file does not exist.
    #[error("`{}` has not been fetched", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read, or has another size or checksum.
    #[error("{0}")]
    Unusable(String),
}

impl Cache {
    /// Returns the cache of the user.
    pub fn for_user() -> Self {
        let named = std::env::var_os("RUNNER_DATA_DIR").filter(|folder| !folder.is_empty());
        // absolute, because the program may change its working directory
        let absolute = |folder: PathBuf| std::path::absolute(&folder).unwrap_or(folder);
        let named = named.map(|folder| Cache { folder: absolute(PathBuf::from(folder)) });
        named.or_else(Cache::for_system).unwrap_or_else(|| Cache { folder: std::env::temp_dir().join("runner") })
    }

    /// Returns the cache in the platform's cache folder, whatever `RUNNER_DATA_DIR` is; `None` if there is no
    /// cache folder.
    pub fn for_system() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "runner")?;
        Some(Cache { folder: dirs.cache_dir().to_path_buf() })
    }

    /// Returns the cache in `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Cache { folder: folder.into() }
    }

    /// Returns the folder of the cache.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder of one data set.
    pub fn folder_of(&self, manifest: &Manifest) -> PathBuf {
        self.folder.join(&manifest.name)
    }

    /// Returns the path of a file, downloaded or not.
    pub fn path(&self, manifest: &Manifest, file: &DataFile) -> PathBuf {
        self.folder_of(manifest).join(&file.name)
    }

    /// Reads one file and checks its size and checksum.
    ///
    /// # Errors
    /// When the file is missing, unreadable, or has another size or checksum.
    pub fn read(&self, manifest: &Manifest, file: &DataFile) -> Result<Vec<u8>, CacheError> {
        let path = self.path(manifest, file);
        let unreadable =
            |error: std::io::Error| CacheError::Unusable(format!("failed to read `{}`: {error}", path.display()));
        let damaged = |why: String| Err(CacheError::Unusable(format!("`{}` is damaged: {why}", path.display())));
        let size = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            // a file in the place of a folder is reported when the folder is created
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(CacheError::Missing(path.clone()));
            }
            Err(error) => return Err(unreadable(error)),
        };
        if size != file.bytes {
            return damaged(format!("it has {size} bytes, expected {}", file.bytes));
        }
        let (bytes, found) = hashed_file::read(&path).map_err(unreadable)?;
        match found == file.sha256 {
            true => Ok(bytes),
            false => damaged(format!("its SHA-256 is {found}, expected {}", file.sha256)),
        }
    }
}
