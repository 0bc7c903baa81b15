//! Where things are: the checkout, and the folder of libtorch in it.
//!
//! ```text
//! .libtorch/
//!   READY          the stamp, written last
//!   torch/         lib, include, share: what LIBTORCH points at
//!   nvidia/        the CUDA libraries, where libtorch's own RPATH looks for them
//!   lock           held by the set-up that is running
//!   wheels/        downloads, kept until they are unpacked
//!   staging/       a half-done unpack
//! ```

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The root of the checkout.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Cargo says where this crate is when it runs it; a bare `target/debug/xtask` remembers where it was built.
    pub fn find() -> Result<Self> {
        let crate_folder =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        match crate_folder.parent() {
            Some(root) if root.is_dir() => Ok(Self { root: root.to_path_buf() }),
            _ => bail!(
                "the checkout of xtask is no longer at `{}`\nhint: call it as `cargo xtask` from inside the checkout",
                crate_folder.display()
            ),
        }
    }

    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `.libtorch`, which is ours to fill.
    pub fn libtorch_home(&self) -> PathBuf {
        self.root.join(".libtorch")
    }

    /// Cargo's target folder, as far as the environment says where it is.
    pub fn target(&self) -> PathBuf {
        let own = env::var_os("CARGO_TARGET_DIR").filter(|target| !target.is_empty());
        let target = own.map_or_else(|| self.root.join("target"), PathBuf::from);
        std::path::absolute(&target).unwrap_or(target)
    }

    /// What `LIBTORCH` is when libtorch is ours; `.cargo/config.toml` says the same.
    pub fn libtorch(&self) -> PathBuf {
        self.libtorch_home().join("torch")
    }
}
