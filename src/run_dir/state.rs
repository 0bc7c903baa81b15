//! State of a run directory and of the files that could not be written to it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::io::atomic_write::{self, Content};
use crate::run_dir::fallback::{self, FallbackRoot};
use crate::run_dir::lock::Lock;

/// File name of the resolved experiment; it marks a run directory.
pub(super) const EXPERIMENT: &str = "experiment.toml";

/// State of a run directory.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) lock: Option<Lock>,
    /// The resolved experiment, in case the directory must be created again.
    pub(super) resolved: Vec<u8>,
    /// The last run record, for the same case.
    pub(super) record: Vec<u8>,
    /// The fitted preprocessing, for the same case; empty until it is written.
    pub(super) preprocessing: Vec<u8>,
    /// Names of written files.
    pub(super) written: BTreeSet<String>,
    /// Whether the directory was removed and created again.
    pub(super) was_recreated: bool,
    /// Paths of files in fallback directories.
    pub(super) in_fallback: Vec<PathBuf>,
    /// Fallback directories, newest last.
    pub(super) fallback_dirs: Vec<PathBuf>,
    /// Names of files that could not be written anywhere.
    pub(super) lost: BTreeSet<String>,
    /// First error of a file that could not be written to the run directory.
    pub(super) reason: Option<String>,
    /// Latest errors of the fallback directories.
    pub(super) fallback_errors: Vec<String>,
}

impl State {
    /// Writes a file to the first fallback directory that accepts it. If none does, records their errors.
    pub(super) fn write_to_fallback(
        &mut self,
        name: &str,
        content: Content,
        fallback_roots: &[FallbackRoot],
        fallback_name: &str,
    ) {
        if let Some(directory) = self.fallback_dirs.last()
            && atomic_write::put_with(&directory.join(name), content).is_ok()
        {
            let file = directory.join(name);
            self.in_fallback.retain(|other| *other != file);
            self.in_fallback.push(file);
            self.lost.remove(name);
            return;
        }
        self.fallback_errors.clear();
        for root in fallback_roots {
            let kept = root.make(fallback_name).and_then(|directory| {
                let written = atomic_write::put_with(&directory.join(name), content);
                written.inspect_err(|_| fallback::remove(&directory)).map(|()| directory)
            });
            match kept {
                Ok(directory) => {
                    self.remove_fallback_copy(name);
                    let _ = atomic_write::put(&directory.join(EXPERIMENT), &self.resolved); // marks it as a run directory
                    self.in_fallback.push(directory.join(name));
                    self.fallback_dirs.push(directory);
                    self.lost.remove(name);
                    return;
                }
                Err(error) => self.fallback_errors.push(format!("`{}`: {error}", root.folder.display())),
            }
        }
        self.lost.insert(name.to_owned());
    }

    /// Removes the file with this name from the fallback directory after it was written elsewhere, and the directory
    /// when it is empty.
    pub(super) fn remove_fallback_copy(&mut self, name: &str) {
        let is_it = |file: &PathBuf| file.file_name().is_some_and(|other| other == name);
        for file in self.in_fallback.extract_if(.., |file| is_it(file)) {
            let _ = std::fs::remove_file(file);
        }
        let in_fallback = &self.in_fallback;
        for directory in
            self.fallback_dirs.extract_if(.., |directory| !in_fallback.iter().any(|file| file.starts_with(&*directory)))
        {
            let _ = std::fs::remove_file(directory.join(EXPERIMENT));
            fallback::remove(&directory);
        }
    }
}
