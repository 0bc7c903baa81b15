//! One run with its histories so far, and the curves of the trials in training.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::compare::group::Group;
use crate::compare::runs::changes::ShortKeys;
use crate::compare::runs::read_run::ReadRun;
use crate::compare::runs::run_info::RunState;
use crate::compare::settings;
use crate::compare::trial::Trial;
use crate::experiment::store::about::About;
use crate::experiment::store::best_trial::stated_monitor;
use crate::experiment::store::run_id::RunEntry;
use crate::history::foreign::foreign_history::{AtEpoch, EpochEnd, Foreign, Format};
use crate::io::bounded_file;
use crate::run_dir::live_tail::{LiveTail, LiveTrial, Update};
use crate::run_dir::writer::Writer;

/// File with the resolved experiment.
const EXPERIMENT: &str = "experiment.toml";

/// Directory of the directories of worker processes in a run directory.
const WORKERS: &str = "workers";

/// A run that a page shows.
#[derive(Debug)]
pub struct LiveRun {
    entry: RunEntry,
    /// Readers of the curves by directory: that of the run, and those of its worker processes.
    tails: BTreeMap<PathBuf, LiveTail>,
    /// Number of updates of the curves.
    updates: u64,
    modified: Option<SystemTime>,
    is_settled: bool,
    /// Number of times that the histories were read.
    reads: u64,
    run: Option<ReadRun>,
    /// The metric that the experiment monitors, if it states one.
    monitor: Option<String>,
    faults: Vec<String>,
    writer: Option<Writer>,
}

impl LiveRun {
    /// Returns the run in a directory, of which nothing is read yet.
    pub fn new(entry: RunEntry) -> LiveRun {
        LiveRun {
            tails: BTreeMap::new(),
            entry,
            updates: first_number(),
            modified: None,
            is_settled: false,
            reads: first_number(),
            run: None,
            monitor: None,
            faults: Vec::new(),
            writer: None,
        }
    }

    /// Reads what changed. Returns whether the directory still exists.
    pub fn update(&mut self) -> bool {
        let folder = &self.entry.folder;
        let Ok(modified) = folder.metadata().and_then(|metadata| metadata.modified()) else { return false };
        let writer = Writer::find(folder);
        let is_running = |writer: &Option<Writer>| writer.is_some_and(|writer| writer.is_running);
        let has_ended = is_running(&self.writer) != is_running(&writer);
        self.writer = writer;
        if self.modified != Some(modified) || !self.is_settled || has_ended || self.run.is_none() {
            let age = SystemTime::now().duration_since(modified);
            let is_settled = age.is_ok_and(|age| age.as_secs() >= 2);
            if self.modified != Some(modified) || is_settled || has_ended || self.run.is_none() {
                self.read();
            }
            (self.modified, self.is_settled) = (Some(modified), is_settled);
        }
        self.update_curves();
        true
    }

    /// Reads the epochs that were added.
    fn update_curves(&mut self) {
        let of_workers = std::fs::read_dir(self.entry.folder.join(WORKERS)).into_iter().flatten().flatten();
        let mut folders: BTreeSet<PathBuf> = of_workers.map(|entry| entry.path()).collect();
        folders.insert(self.entry.folder.clone());
        let before = self.tails.len();
        self.tails.retain(|folder, _| folders.contains(folder));
        self.updates += u64::from(self.tails.len() != before);
        for folder in folders {
            let tail = self.tails.entry(folder).or_insert_with_key(|folder| LiveTail::new(folder));
            match tail.update() {
                Ok(Update::Unchanged) => {}
                Ok(Update::Added | Update::Restarted) => self.updates += 1,
                Err(error) => self.faults = vec![format!("failed to read the curves of the run: {error}")],
            }
        }
    }

    /// Reads the histories.
    fn read(&mut self) {
        let mut faults = Vec::new();
        let about = About::read(&self.entry.folder).unwrap_or_default();
        self.run = ReadRun::read(&self.entry, about, &HashMap::new(), None, &mut faults);
        self.monitor = stated_monitor(&self.entry.folder);
        self.faults = faults.iter().map(crate::config::hint::in_a_line).collect();
        self.reads += 1;
    }

    /// Returns a number that changes with the curves.
    pub fn version(&self) -> u64 {
        self.updates + self.reads
    }

    /// Returns a number that changes with the histories.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Returns the state of the run as JSON.
    pub fn state(&self, short_id: &str) -> Value {
        let is_running = self.writer.is_some_and(|writer| writer.is_running);
        let info = self.run.as_ref().map(|run| &run.info);
        let state = match (is_running, info.map(|info| info.state)) {
            (true, _) | (false, None) => RunState::Running { process: None, progress: None },
            (false, Some(state)) => state,
        };
        let word = if is_running || info.is_some() { state.word() } else { "starting" };
        let progress =
            self.tails.values().find_map(LiveTail::progress).filter(|_| is_running).or_else(|| match is_running {
                true => self.writer.and_then(|writer| writer.progress),
                false => state.progress(),
            });
        let trials = self.run.iter().flat_map(|run| &run.groups).map(|group| group.trials.len()).sum::<usize>();
        let of_info = |field: fn(&crate::compare::runs::run_info::RunInfo) -> Option<String>| info.and_then(field);
        let in_training: usize = self.tails.values().map(|tail| tail.in_training().count()).sum();
        json!({
            "id": self.entry.id, "short": short_id, "experiment": self.entry.experiment, "run": self.entry.name,
            "status": word, "running": is_running, "epoch": progress.map(|p| p.0), "epochs": progress.map(|p| p.1),
            "trials": trials, "in_training": if is_running { in_training } else { 0 },
            "started": of_info(|info| Some(info.started.clone())), "host": of_info(|info| info.host.clone()),
            "job": of_info(|info| info.job.clone()), "name": of_info(|info| info.about.name.clone()),
            "changed": info.map(|info| ShortKeys::for_lists(info.changes.iter().map(|change| change.key.as_str()))
                .each(&info.changes).join(" ")),
            "faults": self.faults,
        })
    }

    /// Returns the run as it was read last.
    pub fn run(&self) -> Option<&ReadRun> {
        self.run.as_ref()
    }

    /// Returns the trials by variant, in the order of their names: those with a history, and those in training as far as they
    /// are.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.run.as_ref().map(|run| run.groups.clone()).unwrap_or_default();
        for live in self.tails.values().flat_map(LiveTail::trials).filter(|trial| !trial.curves.is_empty()) {
            let (variant, name) = name_parts(&live.name);
            let place = groups.iter().position(|group| group.label == variant).unwrap_or_else(|| {
                groups.push(Group { label: variant.to_owned(), trials: Vec::new() });
                groups.len() - 1
            });
            let trials = &mut groups[place].trials;
            let is_same = |trial: &Trial| trial.history().is_some_and(|history| history.stem() == live.name);
            match trials.iter_mut().find(|trial| is_same(trial)) {
                Some(trial) if trial.epochs() >= live.curves.epoch.last().copied().unwrap_or(0) => {}
                Some(trial) => *trial = in_training(live, name, self.monitor.as_deref()),
                None => trials.push(in_training(live, name, self.monitor.as_deref())),
            }
        }
        groups.sort_by(|one, other| one.label.cmp(&other.label));
        groups
    }

    /// Returns the settings in the resolved experiment, for a run without a history.
    pub fn settings(&self) -> Vec<(String, String)> {
        let text = bounded_file::read_to_string(&self.entry.folder.join(EXPERIMENT), bounded_file::EXPERIMENT);
        let document = text.ok().and_then(|text| toml_edit::de::from_str::<Value>(&text).ok());
        document.map(|document| settings::flatten(&document).into_iter().collect()).unwrap_or_default()
    }

    /// Returns a text at the top of the resolved experiment, such as its `title`.
    pub fn text(&self, key: &str) -> Option<String> {
        let config = self.run.as_ref().and_then(|run| run.groups.first()?.config().cloned());
        let config = config.or_else(|| {
            let text = bounded_file::read_to_string(&self.entry.folder.join(EXPERIMENT), bounded_file::EXPERIMENT);
            toml_edit::de::from_str::<Value>(&text.ok()?).ok()
        });
        config?.get(key)?.as_str().map(str::to_owned).filter(|text| !text.trim().is_empty())
    }

    /// Returns the experiment.
    pub fn experiment(&self) -> &str {
        &self.entry.experiment
    }
}

/// Returns where the numbers of a new value start, so that no page has one of them already.
fn first_number() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}

/// Returns the variant of a trial and its name within it: `base` and `seed 0, fold 2` for `base-seed0-fold2`.
fn name_parts(stem: &str) -> (&str, String) {
    let number = |text: &str| text.parse::<i64>().is_ok();
    let Some((variant, rest)) = stem.rsplit_once("-seed") else { return (stem, stem.to_owned()) };
    match rest.split_once("-fold") {
        Some((seed, fold)) if number(seed) && number(fold) => (variant, format!("seed {seed}, fold {fold}")),
        None if number(rest) => (variant, format!("seed {rest}")),
        _ => (stem, stem.to_owned()),
    }
}

/// Returns a trial in training. Its best epoch so far, by the monitored metric, and its diagnosis follow from its curves.
fn in_training(live: &LiveTrial, name: String, monitor: Option<&str>) -> Trial {
    let epochs = &live.curves.epoch;
    let points = |values: &Vec<_>| epochs.iter().zip(values).map(|(&epoch, &value)| AtEpoch { epoch, value }).collect();
    let series = live.curves.series.iter().map(|(name, values)| (name.clone(), points(values))).collect();
    let seconds = live.curves.metric("seconds").unwrap_or_default();
    let passed = seconds.iter().scan(0.0, |passed, taken| {
        *passed += taken;
        Some(EpochEnd { step: None, seconds: Some(*passed) })
    });
    let clock = epochs.iter().copied().zip(passed).collect();
    let curves = Foreign { format: Format::Records, series, clock, notes: Vec::new() };
    Trial::from_foreign(curves, PathBuf::from(name), monitor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_trials_have_a_variant_and_a_seed() {
        let parts = |stem| name_parts(stem);
        assert_eq!(parts("base-seed0"), ("base", "seed 0".to_owned()));
        assert_eq!(parts("a-seed1-x-seed-3-fold2"), ("a-seed1-x", "seed -3, fold 2".to_owned()));
        assert_eq!(parts("odd"), ("odd", "odd".to_owned()));
        assert_eq!(parts("a-seedx"), ("a-seedx", "a-seedx".to_owned()));
    }
}
