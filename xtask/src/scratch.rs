//! A folder for runs whose files nobody keeps, gone at the end unless a failure keeps it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder, for as long as this lives.
pub struct Scratch {
    folder: PathBuf,
    kept: std::cell::Cell<bool>,
}

impl Scratch {
    pub fn create() -> Result<Self> {
        let folder = env::temp_dir().join(format!("runner-xtask-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("failed to create `{}`", folder.display()))?;
        Ok(Self { folder, kept: false.into() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves the folder there, and says where.
    pub fn keep(&self) -> &Path {
        self.kept.set(true);
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept.get() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
