//! Runs that match filters. A run is read again only if its row has changed.

use std::collections::HashMap;

use crate::compare::runs::filter::Filter;
use crate::compare::runs::read_run::ReadRun;
use crate::experiment::store::about::About;
use crate::experiment::store::run_id::RunEntry;
use crate::serve::http::route::version_of;
use crate::serve::table::in_threads::in_threads;
use crate::serve::table::scanned::Scanned;

/// Maximum number of threads that read runs.
const MOST_THREADS: usize = 8;

/// The runs that match the filters that were used last.
#[derive(Debug, Default)]
pub struct Matching {
    filters: Vec<Filter>,
    /// Version of the row of each run, and whether the run matches.
    known: HashMap<String, (u64, bool)>,
}

impl Matching {
    /// Returns the ids of the runs that match all filters, sorted, and a number that changes with them.
    pub fn update(&mut self, filters: &[Filter], scanned: &Scanned) -> (u64, Vec<&str>) {
        if self.filters != filters {
            *self = Matching { filters: filters.to_vec(), known: HashMap::new() };
        }
        let versions: HashMap<String, u64> = scanned.table().versions().into_iter().collect();
        self.known.retain(|id, (version, _)| versions.get(id) == Some(version));
        let new: Vec<(&String, u64)> = versions
            .iter()
            .filter(|(id, _)| !self.known.contains_key(*id))
            .map(|(id, version)| (id, *version))
            .collect();
        let entries: Vec<(RunEntry, u64)> = {
            let known = scanned.entries();
            new.into_iter().filter_map(|(id, version)| Some((known.runs.get(id)?.clone(), version))).collect()
        };
        self.known.extend(matches(&entries, &self.filters));
        let mut ids: Vec<&str> =
            self.known.iter().filter(|(_, (_, holds))| *holds).map(|(id, _)| id.as_str()).collect();
        ids.sort_unstable();
        (version_of(&(&ids, filters.len())), ids)
    }
}

/// Reads runs in several threads, and returns whether each matches.
fn matches(entries: &[(RunEntry, u64)], filters: &[Filter]) -> Vec<(String, (u64, bool))> {
    let short_ids = HashMap::new();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(entries.len());
    in_threads(threads, entries, |(entry, version)| {
        let about = About::read(&entry.folder).unwrap_or_default();
        let run = ReadRun::read(entry, about, &short_ids, None, &mut Vec::new());
        let holds = run.is_some_and(|mut run| run.retain_matching(filters));
        (entry.id.clone(), (*version, holds))
    })
}
