//! Folders: create, remove, lock, and a temporary one.

use std::cell::Cell;
use std::env;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::console;

/// Creates the folder and its parents.
pub fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create `{}`", folder.display()))
}

/// Removes the folder with its content, if it exists.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Creates the folder and locks it: another process waits until the returned file is dropped.
pub fn lock(folder: &Path) -> Result<File> {
    create(folder)?;
    let path = folder.join("lock");
    let failed = || format!("failed to lock `{}`", path.display());
    let file = File::create(&path).with_context(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            console::note("another set-up is running; waiting for it");
            file.lock().with_context(failed)?;
        }
        // Some network file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
    }
    Ok(file)
}

/// A temporary folder, removed at the end unless it is kept.
pub struct Scratch {
    folder: PathBuf,
    is_kept: Cell<bool>,
}

impl Scratch {
    pub fn create() -> Result<Self> {
        let folder = env::temp_dir().join(format!("runner-xtask-{}", std::process::id()));
        create(&folder)?;
        Ok(Self { folder, is_kept: false.into() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the folder and returns its path.
    pub fn keep(&self) -> &Path {
        self.is_kept.set(true);
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.is_kept.get() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
