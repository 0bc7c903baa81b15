//! The clone and its folders.
//!
//! ```text
//! .libtorch/
//!   READY          written last by a set-up
//!   torch/         lib, include, share: the value of LIBTORCH
//!   nvidia/        CUDA libraries, where libtorch's RPATH finds them
//!   lock           locked by the set-up that is running
//!   wheels/        downloads, kept until they are unpacked
//!   staging/       an incomplete unpack
//! ```

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The root of the clone.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the clone by `CARGO_MANIFEST_DIR`: cargo sets it, otherwise it is where this program was built.
    pub fn find() -> Result<Self> {
        let package =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        match package.parent() {
            Some(root) if root.is_dir() => Ok(Self { root: root.to_path_buf() }),
            _ => bail!("no clone at `{}`\nhint: run `cargo xtask` in the clone", package.display()),
        }
    }

    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `.libtorch`.
    pub fn libtorch_home(&self) -> PathBuf {
        self.root.join(".libtorch")
    }

    /// The value of `LIBTORCH` for the downloaded libtorch; the same as in `.cargo/config.toml`.
    pub fn libtorch(&self) -> PathBuf {
        self.libtorch_home().join("torch")
    }

    /// Cargo's target folder: `CARGO_TARGET_DIR`, else `target`.
    pub fn target(&self) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR").filter(|target| !target.is_empty());
        let target = target.map_or_else(|| self.root.join("target"), PathBuf::from);
        std::path::absolute(&target).unwrap_or(target)
    }
}
