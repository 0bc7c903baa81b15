//! Background thread that keeps the table up to date while somebody looks at it.
//!
//! The state of a run follows from its files, and each file of a run is written under another name and renamed, so the
//! modification time of the directory tells whether it must be read again. Nothing is read while no page is open.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::compare::runs::read_run::{ReadRun, reference_of};
use crate::config::hint::in_a_line;
use crate::experiment::store::about::About;
use crate::experiment::store::run_id::{RunEntries, RunEntry};
use crate::history::History;
use crate::history::curves::Curves;
use crate::run_dir::writer::Writer;
use crate::serve::table::in_threads::in_threads;
use crate::serve::table::row::NewRow;
use crate::serve::table::scanned::{Entries, Scanned};
use crate::serve::table::sweeps::Sweeps;
use crate::serve::table::walk::Walk;

/// Maximum number of finished runs whose directories are looked at in one pass.
const MOST_LOOKED_AT: usize = 1000;

/// Maximum number of threads that read runs: training has the other cores.
const MOST_THREADS: usize = 8;

/// Time after which a change of a directory surely has another modification time than the next change.
const SETTLED: Duration = Duration::from_secs(2);

/// What is known of the runs and sweeps.
#[derive(Debug, Default)]
pub struct Scanner {
    walk: Walk,
    stamps: HashMap<String, Stamp>,
    references: HashMap<PathBuf, Option<History>>,
    sweeps: Sweeps,
    /// Number of runs when the references were read.
    compared: usize,
    /// Where the next pass over the finished runs starts.
    next: usize,
}

/// State of a run directory when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    is_settled: bool,
}

impl Scanner {
    /// Returns a scanner of the runs and sweeps below these directories.
    pub fn new(roots: Vec<PathBuf>) -> Scanner {
        Scanner { walk: Walk::new(roots), ..Scanner::default() }
    }

    /// Looks for new and removed runs and sweeps, without reading them.
    pub fn find(&mut self, scanned: &Scanned) {
        if self.walk.update() {
            self.apply_walk(scanned);
        }
    }

    /// Looks for changes once.
    pub fn update(&mut self, scanned: &Scanned) {
        self.find(scanned);
        self.read_references();
        self.read_runs(scanned);
        self.sweeps.update(&self.walk.sweeps, scanned);
    }

    /// Takes over new runs and sweeps, and drops removed ones.
    fn apply_walk(&mut self, scanned: &Scanned) {
        let (runs, sweeps) = (&self.walk.runs, &self.walk.sweeps);
        let entries = RunEntries(runs.values().cloned().collect());
        let short_ids = entries.short_ids().into_iter().map(|(id, short)| (id.to_owned(), short.to_owned())).collect();
        {
            let mut table = scanned.table();
            table.retain(|id| runs.contains_key(id), |id| sweeps.contains_key(id));
            table.set_short_ids(short_ids);
            (table.found, table.is_cut) = (runs.len(), self.walk.is_cut);
        }
        *scanned.entries() = Entries { runs: runs.clone(), sweeps: sweeps.clone() };
        self.stamps.retain(|id, _| runs.contains_key(id));
    }

    /// Reads the first history of experiments that have several runs.
    fn read_references(&mut self) {
        if self.walk.runs.len() == self.compared {
            return;
        }
        self.compared = self.walk.runs.len();
        let mut by_folder: HashMap<&Path, Vec<&RunEntry>> = HashMap::new();
        for run in self.walk.runs.values() {
            by_folder.entry(run.folder.parent().unwrap_or(Path::new(""))).or_default().push(run);
        }
        self.references.retain(|folder, _| by_folder.contains_key(folder.as_path()));
        for (folder, mut runs) in by_folder {
            // until a run has a history, there is nothing to compare with
            if runs.len() > 1 && self.references.get(folder).is_none_or(Option::is_none) {
                let reference =
                    reference_of(&mut runs).map(|history| History { history: Curves::default(), ..history });
                self.references.insert(folder.to_path_buf(), reference);
            }
        }
    }

    /// Reads the runs that changed, the newest first.
    fn read_runs(&mut self, scanned: &Scanned) {
        let open = scanned.table().ids(|row| row.is_open());
        let ids: Vec<&String> = self.walk.runs.keys().collect();
        let is_new = |id: &&&String| !self.stamps.contains_key(id.as_str());
        let looked_at = ids.iter().cycle().skip(self.next).take(MOST_LOOKED_AT.min(ids.len()));
        let mut wanted: Vec<&String> = ids.iter().filter(is_new).copied().collect();
        let known = looked_at.copied().chain(open.iter()).filter(|id| self.stamps.contains_key(id.as_str()));
        let mut changed = BTreeSet::new();
        for id in known {
            let Some(entry) = self.walk.runs.get(id) else { continue };
            let stamp = Stamp::of(&entry.folder);
            let writer = || open.contains(id).then(|| Writer::find(&entry.folder)).flatten();
            if stamp.modified.is_none() {
                scanned.table().remove(id); // the next walk drops it
            } else if self.stamps.get(id.as_str()) != Some(&stamp)
                || open.contains(id) && self.follow(id, writer(), scanned)
            {
                changed.insert(id);
            }
        }
        self.next = if ids.is_empty() { 0 } else { (self.next + MOST_LOOKED_AT) % ids.len() };
        wanted.extend(changed);
        wanted.sort_by(|one, other| self.walk.runs[*other].name.cmp(&self.walk.runs[*one].name));
        let entries: Vec<&RunEntry> = wanted.iter().map(|id| &self.walk.runs[*id]).collect();
        let stamps = read_all(&entries, &self.references, scanned);
        self.stamps.extend(stamps);
    }

    /// Updates the progress of an unfinished run. Returns whether its state changed, so that it must be read again.
    fn follow(&self, id: &str, writer: Option<Writer>, scanned: &Scanned) -> bool {
        let mut table = scanned.table();
        let is_running = writer.is_some_and(|writer| writer.is_running);
        if table.is_running(id) != is_running {
            return true;
        }
        if let Some(writer) = writer.filter(|writer| writer.is_running) {
            table.update(id, |row| row.update_progress(&writer));
        }
        false
    }
}

impl Stamp {
    fn of(folder: &Path) -> Stamp {
        let modified = folder.metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| SystemTime::now().duration_since(modified).ok());
        Stamp { modified, is_settled: age.is_some_and(|age| age > SETTLED) }
    }
}

/// Reads runs in several threads, and puts each into the table at once. Returns the state of their directories.
fn read_all(
    entries: &[&RunEntry],
    references: &HashMap<PathBuf, Option<History>>,
    scanned: &Scanned,
) -> Vec<(String, Stamp)> {
    let short_ids = HashMap::new(); // the table has them
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (cores / 2).clamp(1, MOST_THREADS).min(entries.len().div_ceil(16));
    in_threads(threads, entries, |entry| {
        let stamp = Stamp::of(&entry.folder);
        let mut faults = Vec::new();
        let about = About::read(&entry.folder).unwrap_or_else(|error| {
            faults.push(error);
            About::default()
        });
        let reference = entry.folder.parent().and_then(|folder| references.get(folder)?.as_ref());
        let rows = ReadRun::read(entry, about, &short_ids, reference, &mut faults);
        let rows = rows.as_ref().map(NewRow::of_run).unwrap_or_default();
        scanned.table().put(&entry.id, rows, faults.iter().map(in_a_line).collect());
        (entry.id.clone(), stamp)
    })
}
