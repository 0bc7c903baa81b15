//! The table of runs and sweeps, with a version for each row, so that a page gets only what changed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write;

use serde_json::{Value, json};

use crate::compare::runs::changes::ShortKeys;
use crate::serve::table::row::{NewRow, Row, Texts};

/// Maximum number of removed runs that are remembered.
const MOST_REMOVED: usize = 2_000;

/// Maximum number of errors that a page shows.
const MOST_FAULTS: usize = 5;

/// A setting with more values than this is no useful group, unless there are few runs.
const MOST_VALUES: usize = 200;

/// The table.
#[derive(Debug, Default)]
pub struct Table {
    /// Number of changes so far.
    version: u64,
    runs: BTreeMap<String, Run>,
    sweeps: BTreeMap<String, (u64, Value)>,
    removed: VecDeque<(u64, String)>,
    /// Version of the newest removed run that is forgotten.
    forgotten: u64,
    short_ids: HashMap<String, String>,
    texts: Texts,
    /// Settings with several values, and the version of this list.
    keys: Vec<String>,
    keys_version: u64,
    keys_are_stale: bool,
    /// Number of runs that are found; more than that of the rows while they are read.
    pub found: usize,
    /// Whether there are more directories than are looked into.
    pub is_cut: bool,
}

#[derive(Debug)]
struct Run {
    version: u64,
    rows: Vec<Row>,
    json: Vec<String>,
    faults: Vec<String>,
}

impl Table {
    /// Adds a run, or replaces its rows. Rows that are as before keep their version.
    pub fn put(&mut self, id: &str, rows: Vec<NewRow>, faults: Vec<String>) {
        let rows: Vec<Row> = rows.into_iter().map(|row| row.store(&mut self.texts)).collect();
        let json: Vec<String> = rows.iter().map(|row| row.to_json(self.short_id(id))).collect();
        let settings = |rows: &[Row]| rows.iter().map(|row| row.settings.clone()).collect::<Vec<_>>();
        let before = self.runs.get(id);
        let has_same_settings = before.is_some_and(|run| settings(&run.rows) == settings(&rows));
        if has_same_settings && before.is_some_and(|run| run.json == json && run.faults == faults) {
            return;
        }
        self.keys_are_stale |= !has_same_settings;
        self.version += 1;
        self.runs.insert(id.to_owned(), Run { version: self.version, rows, json, faults });
    }

    /// Updates the rows of a run. `change` returns whether it changed a row.
    pub fn update(&mut self, id: &str, change: impl Fn(&mut Row) -> bool) {
        let short_id = self.short_id(id).to_owned();
        let Some(run) = self.runs.get_mut(id) else { return };
        let mut has_changed = false;
        for (row, json) in run.rows.iter_mut().zip(&mut run.json) {
            if change(row) {
                *json = row.to_json(&short_id);
                has_changed = true;
            }
        }
        if has_changed {
            self.version += 1;
            run.version = self.version;
        }
    }

    /// Removes the runs and sweeps that are not among these.
    pub fn retain(&mut self, runs: impl Fn(&str) -> bool, sweeps: impl Fn(&str) -> bool) {
        let gone: Vec<String> = self.runs.keys().filter(|id| !runs(id)).cloned().collect();
        for id in gone {
            self.remove(&id);
        }
        let before = self.sweeps.len();
        self.sweeps.retain(|id, _| sweeps(id));
        self.version += u64::from(self.sweeps.len() != before);
    }

    /// Removes a run.
    pub fn remove(&mut self, id: &str) {
        if self.runs.remove(id).is_none() {
            return;
        }
        self.version += 1;
        self.keys_are_stale = true;
        self.removed.push_back((self.version, id.to_owned()));
        while self.removed.len() > MOST_REMOVED {
            self.forgotten = self.removed.pop_front().map_or(self.forgotten, |(version, _)| version);
        }
    }

    /// Sets the short ids of all runs. Rows whose id changes get a new version.
    pub fn set_short_ids(&mut self, short_ids: HashMap<String, String>) {
        for (id, run) in &mut self.runs {
            let short_id = short_ids.get(id).map_or(id.as_str(), String::as_str);
            if self.short_ids.get(id).map(String::as_str) != Some(short_id) {
                self.version += 1;
                run.version = self.version;
                run.json = run.rows.iter().map(|row| row.to_json(short_id)).collect();
            }
        }
        self.short_ids = short_ids;
    }

    /// Returns the short id of a run.
    pub fn short_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.short_ids.get(id).map_or(id, String::as_str)
    }

    /// Adds a sweep, or replaces its row.
    pub fn put_sweep(&mut self, id: &str, row: Value) {
        if self.sweeps.get(id).is_none_or(|(_, before)| *before != row) {
            self.version += 1;
            self.sweeps.insert(id.to_owned(), (self.version, row));
        }
    }

    /// Returns the ids of runs whose rows are like this.
    pub fn ids(&self, is_wanted: impl Fn(&Row) -> bool) -> HashSet<String> {
        let is_one = |run: &Run| run.rows.first().is_some_and(&is_wanted);
        self.runs.iter().filter(|(_, run)| is_one(run)).map(|(id, _)| id.clone()).collect()
    }

    /// Whether a process is training a run.
    pub fn is_running(&self, id: &str) -> bool {
        self.runs.get(id).and_then(|run| run.rows.first()).is_some_and(Row::is_running)
    }

    /// Returns the versions of all runs by id.
    pub fn versions(&self) -> Vec<(String, u64)> {
        self.runs.iter().map(|(id, run)| (id.clone(), run.version)).collect()
    }

    /// Returns what changed since a version as JSON, with the fields `more`. Each row gets the value of `setting`.
    pub fn to_json(&mut self, since: Option<u64>, setting: Option<&str>, more: &[(&str, String)]) -> String {
        self.update_keys();
        let since = since.filter(|since| (self.forgotten..=self.version).contains(since));
        let mut text = format!("{{\"version\":{},\"full\":{}", self.version, since.is_none());
        let _ = write!(text, ",\"found\":{},\"read\":{},\"cut\":{}", self.found, self.runs.len(), self.is_cut);
        for (name, value) in more {
            let _ = write!(text, ",\"{name}\":{value}");
        }
        let is_new = |version: u64| since.is_none_or(|since| version > since);
        if is_new(self.keys_version) {
            let short = ShortKeys::for_lists(self.keys.iter().map(String::as_str));
            let keys: Vec<[&str; 2]> = self.keys.iter().map(|key| [key.as_str(), short.label(key)]).collect();
            let _ = write!(text, ",\"keys\":{}", json!(keys));
        }
        let key = setting.and_then(|setting| self.texts.find(setting));
        text.push_str(",\"rows\":[");
        let mut separator = "";
        for run in self.runs.values().filter(|run| is_new(run.version)) {
            for (row, json) in run.rows.iter().zip(&run.json) {
                text.push_str(separator);
                text.push_str(json);
                if setting.is_some() {
                    let value = row.settings.iter().find(|(other, _)| Some(*other) == key);
                    let value = value.map(|(_, value)| self.texts.get(*value));
                    let _ = write!(text, ",{}", json!(value));
                }
                text.push(']');
                separator = ",";
            }
        }
        text.push(']');
        let removed = self.removed.iter().filter(|(version, _)| since.is_some_and(|since| *version > since));
        let removed: Vec<&str> = removed.map(|(_, id)| id.as_str()).collect();
        let _ = write!(text, ",\"removed\":{}", json!(removed));
        let sweeps: Vec<&Value> = self.sweeps.values().map(|(_, row)| row).collect();
        let _ = write!(text, ",\"sweeps\":{}", json!(sweeps));
        let faults = || self.runs.values().flat_map(|run| &run.faults);
        let shown: Vec<&String> = faults().take(MOST_FAULTS).collect();
        let _ = write!(text, ",\"faults\":{},\"more_faults\":{}}}", json!(shown), faults().count() - shown.len());
        text
    }

    /// Updates the list of settings with several values.
    fn update_keys(&mut self) {
        if !std::mem::take(&mut self.keys_are_stale) {
            return;
        }
        let mut values: HashMap<u32, HashSet<u32>> = HashMap::new();
        let mut counts: HashMap<u32, usize> = HashMap::new();
        let mut rows = 0;
        for row in self.runs.values().flat_map(|run| &run.rows).filter(|row| !row.settings.is_empty()) {
            rows += 1;
            for (key, value) in &row.settings {
                *counts.entry(*key).or_default() += 1;
                let values = values.entry(*key).or_default();
                if values.len() <= MOST_VALUES {
                    values.insert(*value);
                }
            }
        }
        let is_useful = |key: &u32| {
            let distinct = values[key].len() + usize::from(counts[key] < rows);
            (2..=MOST_VALUES).contains(&distinct)
        };
        let mut keys: Vec<String> =
            values.keys().filter(|key| is_useful(key)).map(|key| self.texts.get(*key).to_owned()).collect();
        keys.sort_unstable();
        if keys != self.keys {
            self.version += 1;
            (self.keys, self.keys_version) = (keys, self.version);
        }
    }
}
