//! The file of a TorchScript module: where it is, and its checksum.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::store::checksum::sha256;
use crate::io::bounded_file;

/// Maximum size of a file in bytes.
const MOST_BYTES: u64 = 8 << 30;

/// A file that was read when the experiment was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFile {
    /// The seed that the file is for; `None` for all seeds.
    pub seed: Option<i64>,
    /// Path of the file in the experiment.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The file that is read: the run's copy, or the file at `path`.
    source: PathBuf,
}

/// Copy of a file in a run directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleCopy {
    /// Path of the original.
    pub path: String,
    /// Name of the copy in the run directory.
    pub file: String,
    /// SHA-256 of both.
    pub sha256: String,
    /// Path of the copy.
    #[serde(skip)]
    pub copy: PathBuf,
}

/// Returns what to do about a file that does not exist; `seed` is the one that it is for.
fn missing_hint(source: &Path, seed: Option<i64>) -> String {
    let save =
        format!("`torch.jit.script(module).save({:?})`", source.file_name().unwrap_or_default().to_string_lossy());
    match seed {
        Some(seed) => format!(
            "check the path, write the file of seed {seed} in Python: {save}, or choose other seeds with `--seeds`"
        ),
        None => format!(
            "check the path (in an experiment file, it is relative to this file), or write the file in Python: {save}"
        ),
    }
}

impl ModuleFile {
    /// Reads the file at `path`, or its copy if the run has one.
    ///
    /// # Errors
    /// When it cannot be read, or the copy is not the file that the run started with. The key is that of the path.
    pub fn locate(path: &str, seed: Option<i64>, copies: &[ModuleCopy], key: &str) -> Result<ModuleFile, Invalid> {
        let copy = copies.iter().find(|copy| copy.path == path);
        let source = copy.map_or_else(|| PathBuf::from(path), |copy| copy.copy.clone());
        let bytes = bounded_file::read(&source, MOST_BYTES).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Invalid::new(key, format!("cannot be read: `{}` does not exist", source.display()))
                .hint(missing_hint(&source, seed)),
            _ => Invalid::new(key, format!("cannot be read: `{}`: {error:#}", source.display()))
                .hint("check the path: in an experiment file, it is relative to this file"),
        })?;
        let sha256 = sha256(&bytes);
        if copy.is_some_and(|copy| copy.sha256 != sha256) {
            let message = format!("has changed: `{}` is not the file that the run started with", source.display());
            return Err(Invalid::new(key, message).hint("restore the file, or start a new run with `runner exp`"));
        }
        Ok(ModuleFile { seed, path: path.to_owned(), sha256, source })
    }

    /// Returns the bytes of the file.
    ///
    /// # Errors
    /// When it cannot be read, or has changed since the experiment was checked.
    pub fn read(&self) -> anyhow::Result<Vec<u8>> {
        let shown = self.source.display();
        let bytes =
            bounded_file::read(&self.source, MOST_BYTES).with_context(|| format!("failed to read `{shown}`"))?;
        ensure!(sha256(&bytes) == self.sha256, "`{shown}` has changed since the experiment was read");
        Ok(bytes)
    }

    /// Returns the copy that a run directory holds: `net.pt` with the first digits of the checksum in its name.
    pub fn copy_in(&self, run: &Path) -> ModuleCopy {
        let name = Path::new(&self.path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = format!("{name}-{}.pt", &self.sha256[..8]);
        ModuleCopy { path: self.path.clone(), copy: run.join(&file), file, sha256: self.sha256.clone() }
    }
}
