//! What has become of a run's folder, and of the files that it did not take.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::io::atomic_write::{self, Content};
use crate::run_dir::fallback::{self, Base};
use crate::run_dir::lock::Lock;

/// The resolved experiment, which makes a folder a run's.
pub(super) const EXPERIMENT: &str = "experiment.toml";

/// What has become of a run's folder.
#[derive(Debug)]
pub(super) struct State {
    pub(super) lock: Option<Lock>,
    /// The resolved experiment, for a folder that is made anew.
    pub(super) resolved: Vec<u8>,
    /// The record of the run as it was last written, likewise.
    pub(super) record: Vec<u8>,
    /// What was fitted to the training rows, likewise; empty before it is written.
    pub(super) preprocessing: Vec<u8>,
    /// The names of what was written.
    pub(super) written: BTreeSet<String>,
    /// Whether the folder was removed, and made anew.
    pub(super) is_anew: bool,
    /// Where the files lie that could not be written here.
    pub(super) rescued: Vec<PathBuf>,
    /// The fall-back places that were made, the newest last.
    pub(super) places: Vec<PathBuf>,
    /// The names of what no place took.
    pub(super) lost: BTreeSet<String>,
    /// Why a file could not be written here, the first time that it was given up.
    pub(super) reason: Option<String>,
    /// What the fall-back places said that did not take a file, the last time.
    pub(super) refusals: Vec<String>,
}

impl State {
    /// Writes a file to the fall-back place, the first that takes it. Where none does, takes down what they said.
    pub(super) fn rescue(&mut self, name: &str, content: Content, bases: &[Base], title: &str) {
        if let Some(place) = self.places.last()
            && atomic_write::put_with(&place.join(name), content).is_ok()
        {
            let file = place.join(name);
            self.rescued.retain(|other| *other != file);
            self.rescued.push(file);
            self.lost.remove(name);
            return;
        }
        self.refusals.clear();
        for base in bases {
            let kept = base.make(title).and_then(|place| {
                let written = atomic_write::put_with(&place.join(name), content);
                written.inspect_err(|_| fallback::remove(&place)).map(|()| place)
            });
            match kept {
                Ok(place) => {
                    self.forget_rescued(name);
                    let _ = atomic_write::put(&place.join(EXPERIMENT), &self.resolved); // so that it is read as a run
                    self.rescued.push(place.join(name));
                    self.places.push(place);
                    self.lost.remove(name);
                    return;
                }
                Err(error) => self.refusals.push(format!("`{}`: {error}", base.folder().display())),
            }
        }
        self.lost.insert(name.to_owned());
    }

    /// Removes the rescued file of this name, which is written elsewhere now, and the place once it holds none.
    pub(super) fn forget_rescued(&mut self, name: &str) {
        let is_it = |file: &PathBuf| file.file_name().is_some_and(|other| other == name);
        for file in self.rescued.extract_if(.., |file| is_it(file)) {
            let _ = std::fs::remove_file(file);
        }
        let rescued = &self.rescued;
        for place in self.places.extract_if(.., |place| !rescued.iter().any(|file| file.starts_with(&*place))) {
            let _ = std::fs::remove_file(place.join(EXPERIMENT));
            fallback::remove(&place);
        }
    }
}
