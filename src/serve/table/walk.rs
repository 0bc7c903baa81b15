//! Finds the runs and sweeps below directories, and again only in directories that changed.
//!
//! It polls modification times, which works on network disks, too. A directory that was changed shortly before it was
//! listed is listed again, because its time may not change a second time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::experiment::store::newest;
use crate::experiment::store::run_id::{self, RunEntry};
use crate::run_dir::latest::LATEST;
use crate::sweep::record;

/// Maximum depth of runs below a directory.
const DEEPEST: usize = 6;

/// Maximum number of directories without runs of their own that are looked into.
const MOST_FOLDERS: usize = 20_000;

/// Number of updates after which all directories are listed again: a network disk may report old times.
const FULL_EVERY: u64 = 60;

/// Time after which a change of a directory surely has another modification time than the next change.
const SETTLED: Duration = Duration::from_secs(2);

/// What a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Run,
    Sweep,
    /// It may have runs below it.
    Folder,
}

/// The runs and sweeps below directories.
#[derive(Debug, Default)]
pub struct Walk {
    roots: Vec<PathBuf>,
    folders: HashMap<PathBuf, Listing>,
    updates: u64,
    /// The runs by id.
    pub runs: BTreeMap<String, RunEntry>,
    /// The sweeps by id.
    pub sweeps: BTreeMap<String, RunEntry>,
    /// Whether there are more directories than are looked into.
    pub is_cut: bool,
}

/// Subdirectories of a directory.
#[derive(Debug)]
struct Listing {
    modified: SystemTime,
    listed: SystemTime,
    /// Runs and sweeps.
    found: Vec<(PathBuf, Kind)>,
    /// Other directories.
    folders: Vec<PathBuf>,
}

impl Walk {
    /// Returns an empty walk below these directories.
    pub fn new(roots: Vec<PathBuf>) -> Walk {
        Walk { roots, ..Walk::default() }
    }

    /// Looks for new and removed runs. Returns whether there are any.
    pub fn update(&mut self) -> bool {
        let is_full = self.updates.is_multiple_of(FULL_EVERY);
        self.updates += 1;
        self.is_cut = false;
        let (mut visited, mut has_changed) = (HashSet::new(), false);
        let mut found = Vec::new();
        for root in self.roots.clone() {
            match kind_of(&root) {
                Kind::Folder => has_changed |= self.visit(&root, 0, is_full, &mut visited),
                kind => found.push((root, kind)),
            }
        }
        let before = self.folders.len();
        self.folders.retain(|folder, _| visited.contains(folder));
        if !has_changed && self.folders.len() == before && found.is_empty() && self.updates > 1 {
            return false;
        }
        found.extend(self.folders.values().flat_map(|listing| listing.found.iter().cloned()));
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let (mut runs, mut sweeps) = (BTreeMap::new(), BTreeMap::new());
        for (folder, kind) in found {
            let entry = entry(folder);
            let entries = if kind == Kind::Run { &mut runs } else { &mut sweeps };
            entries.entry(entry.id.clone()).or_insert(entry);
        }
        let has_changed = runs != self.runs || sweeps != self.sweeps;
        (self.runs, self.sweeps) = (runs, sweeps);
        has_changed
    }

    /// Lists a directory and those below it, if they changed. Returns whether any did.
    fn visit(&mut self, folder: &Path, depth: usize, is_full: bool, visited: &mut HashSet<PathBuf>) -> bool {
        if visited.len() >= MOST_FOLDERS {
            self.is_cut = true;
            return false;
        }
        let Ok(modified) = folder.metadata().and_then(|metadata| metadata.modified()) else { return false };
        if !visited.insert(folder.to_path_buf()) {
            return false;
        }
        let is_same = |known: &Listing| {
            let is_settled = known.listed.duration_since(known.modified).is_ok_and(|age| age > SETTLED);
            // a directory gets its files after its name
            let has_new = || known.folders.iter().any(|folder| kind_of(folder) != Kind::Folder);
            known.modified == modified && is_settled && !is_full && !has_new()
        };
        let is_known = self.folders.get(folder).is_some_and(is_same);
        if !is_known {
            let known = self.folders.remove(folder).map(|known| known.found).unwrap_or_default();
            let (folders, found) = list(folder, &known.into_iter().collect());
            let listing = Listing { modified, listed: SystemTime::now(), found, folders };
            self.folders.insert(folder.to_path_buf(), listing);
        }
        let mut has_changed = !is_known;
        if depth < DEEPEST {
            let folders = self.folders.get(folder).map(|listing| listing.folders.clone()).unwrap_or_default();
            for child in folders {
                has_changed |= self.visit(&child, depth + 1, is_full, visited);
            }
        }
        has_changed
    }
}

/// Returns the subdirectories of a directory: those without and those with a run. The kind of a known run is not looked up
/// again.
fn list(folder: &Path, known: &HashMap<PathBuf, Kind>) -> (Vec<PathBuf>, Vec<(PathBuf, Kind)>) {
    let names = run_id::directories(folder);
    let has_stamps = names.iter().any(|name| newest::is_stamped(Path::new(name)));
    let (mut folders, mut found) = (Vec::new(), Vec::new());
    for child in names.into_iter().filter(|name| !(has_stamps && name == LATEST)).map(|name| folder.join(name)) {
        match known.get(&child).copied().unwrap_or_else(|| kind_of(&child)) {
            Kind::Folder => folders.push(child),
            kind => found.push((child, kind)),
        }
    }
    (folders, found)
}

fn kind_of(folder: &Path) -> Kind {
    if folder.join(record::FILE).is_file() {
        Kind::Sweep
    } else if newest::is_run(folder) || (newest::is_stamped(folder) && newest::holds_history(folder)) {
        Kind::Run
    } else {
        Kind::Folder
    }
}

/// Returns the entry of a run or a sweep.
fn entry(folder: PathBuf) -> RunEntry {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let whole = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
    let (experiment, name) = (name(whole.parent()), name(Some(&whole)));
    RunEntry { id: run_id::of_names(&experiment, &name), experiment, name, folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(root: &Path, path: &str, file: &str) {
        std::fs::create_dir_all(root.join(path)).unwrap();
        std::fs::write(root.join(path).join(file), "").unwrap();
    }

    fn names(entries: &BTreeMap<String, RunEntry>) -> Vec<String> {
        let mut names: Vec<String> =
            entries.values().map(|entry| format!("{}/{}", entry.experiment, entry.name)).collect();
        names.sort();
        names
    }

    #[test]
    fn runs_and_sweeps_are_found_at_any_depth_and_when_they_come_and_go() {
        let root = tempfile::tempdir().unwrap();
        let mut walk = Walk::new(vec![root.path().to_path_buf()]);
        assert!(!walk.update() && walk.runs.is_empty());
        make(root.path(), "runs/a/2026-11-28T090715Z-f69e03", "experiment.toml");
        make(root.path(), "runs/.b/2026-11-28T090715Z-f69e03", "experiment.toml");
        make(root.path(), "deep/er/sweeps/c/2026-11-28T090715Z-000000", record::FILE);
        make(root.path(), "deep/er/sweeps/c/2026-11-28T090715Z-000000/stacks/S000", "experiment.toml");
        std::fs::create_dir_all(root.path().join("runs/a/2026-11-29T090715Z-ffffff")).unwrap();
        assert!(walk.update());
        assert_eq!(names(&walk.runs), ["a/2026-11-28T090715Z-f69e03"], "stacks and hidden runs are none");
        assert_eq!(names(&walk.sweeps), ["c/2026-11-28T090715Z-000000"]);
        assert!(!walk.update());
        // a directory that gets its file later
        make(root.path(), "runs/a/2026-11-29T090715Z-ffffff", "experiment.toml");
        assert!(walk.update());
        assert_eq!(walk.runs.len(), 2);
        std::fs::remove_dir_all(root.path().join("runs/a/2026-11-28T090715Z-f69e03")).unwrap();
        assert!(walk.update());
        assert_eq!(names(&walk.runs), ["a/2026-11-29T090715Z-ffffff"]);
        std::fs::remove_dir_all(root.path().join("deep")).unwrap();
        assert!(walk.update() && walk.sweeps.is_empty());
    }

    #[test]
    fn a_single_run_is_found() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), "a/2026-11-28T090715Z-f69e03", "experiment.toml");
        let mut walk = Walk::new(vec![root.path().join("a/2026-11-28T090715Z-f69e03")]);
        assert!(walk.update());
        let id = run_id::of_names("a", "2026-11-28T090715Z-f69e03");
        assert_eq!(walk.runs.keys().collect::<Vec<_>>(), [&id]);
    }
}
