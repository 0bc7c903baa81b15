//! Checksums of the files in the run directory of a stack.

use std::collections::BTreeMap;
use std::io::Result;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::data::store::checksum::sha256;
use crate::sweep::dir::create_once::retry_stale;

/// SHA-256 by path in the directory; folders are separated by `/`.
pub type FileSums = BTreeMap<String, String>;

/// Returns the checksums of all files in a directory but hidden ones, which are locks and temporary files.
///
/// # Errors
/// Those of the system.
pub fn of_directory(directory: &Path) -> Result<FileSums> {
    let mut files = Vec::new();
    list(directory, "", &mut files)?;
    let sum = |(name, path): (String, PathBuf)| Ok((name, sha256(&retry_stale(|| std::fs::read(&path))?)));
    files.into_par_iter().map(sum).collect()
}

/// Adds the files in a directory and below it, by their names with this prefix.
fn list(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    for entry in retry_stale(|| std::fs::read_dir(directory))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => list(&entry.path(), &format!("{prefix}{name}/"), files)?,
            false => files.push((format!("{prefix}{name}"), entry.path())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_but_hidden_ones_have_a_checksum() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("plots")).unwrap();
        for name in ["run.json", ".lock", "plots/a.svg"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let sums = of_directory(folder.path()).unwrap();
        let expected = ["plots/a.svg", "run.json"].map(|name| (name.to_owned(), sha256(name.as_bytes())));
        assert_eq!(sums, FileSums::from(expected));
    }
}
