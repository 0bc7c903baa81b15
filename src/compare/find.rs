//! Finds the trials that a command line names, and forms groups of them.
//!
//! An argument is a run directory, a file in it, an experiment (its newest run), a variant of one of these
//! (`regularize_mnist/dropout`), a history of another program, or a glob pattern over any of them. Trials of one run
//! that differ only in seed and fold form a group. A sweep has its best configurations. So do the matches of one glob, and histories named one by one, even
//! from several runs, if all their settings are equal. Each history of another program is a run. Unreadable files are
//! reported and skipped.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use indexmap::IndexMap;

use crate::compare::group::Group;
use crate::compare::label::{self, UnlabeledGroup};
use crate::compare::settings;
use crate::compare::sweep_trials::{best_trials, sweep_at};
use crate::compare::trial::Trial;
use crate::config::hint::Hint;
use crate::device::memory;
use crate::experiment::store::find::{Damaged, SavedRun};
use crate::experiment::store::run_name::experiment_directory;
use crate::experiment::store::{newest, whole_run};
use crate::history::foreign;
use crate::io::bounded_file;

/// Groups found for the arguments of a command.
#[derive(Debug)]
pub struct Found {
    /// The groups in the order of the arguments; at least one.
    pub groups: Vec<Group>,
    /// Errors of files that could not be read.
    pub faults: Vec<anyhow::Error>,
    /// Notes for the user, a sentence each.
    pub notes: Vec<String>,
    /// For each group, the argument that named it.
    pub named: Vec<String>,
}

/// Finds and reads the named runs; names of experiments are looked up under `out`.
///
/// # Errors
/// If nothing can be read: the first error.
pub fn find(names: &[String], out: &Path) -> anyhow::Result<Found> {
    let mut found = FoundTrials::default();
    let is_experiment = |name: &str| experiment_directory(name, out).is_some();
    let (experiments, others): (Vec<_>, Vec<_>) = names.iter().enumerate().partition(|(_, name)| is_experiment(name));
    let add = |found: &mut FoundTrials, (argument, name): (usize, &String)| {
        if let Err(error) = found.add(argument, name, out) {
            found.faults.push(error);
        }
    };
    others.into_iter().for_each(|other| add(&mut found, other));
    // `idea/dropout` is a variant of the run that `idea` means
    let is_variant = |argument: usize| names[argument].rsplit_once('/').is_some_and(|(run, _)| is_experiment(run));
    let named = found.trials.iter().filter(|trial| !is_variant(trial.argument));
    found.named = named.filter_map(|trial| trial.folder.clone()).collect();
    experiments.into_iter().for_each(|experiment| add(&mut found, experiment));
    found.trials.sort_by_key(|trial| trial.argument);
    if found.trials.is_empty() {
        return Err(found.faults.into_iter().next().unwrap_or_else(|| anyhow!("no run was given")));
    }
    let repeated = found.without_repeats(names);
    found.notes.extend(repeated);
    let (groups, notes) = group_trials(found.trials);
    found.notes.extend(notes);
    let named = groups.iter().map(|group| names[group.argument].clone()).collect();
    Ok(Found { groups: label::label_groups(groups), faults: found.faults, notes: found.notes, named })
}

/// A trial and the argument that named it.
struct FoundTrial {
    argument: usize,
    /// The run directory, if the argument names the run; `None` for single files and glob matches.
    folder: Option<PathBuf>,
    /// Whether a glob pattern matched it.
    matched: bool,
    trial: Trial,
}

#[derive(Default)]
struct FoundTrials {
    trials: Vec<FoundTrial>,
    faults: Vec<anyhow::Error>,
    notes: Vec<String>,
    /// Directories of the runs that are not named by their experiment.
    named: HashSet<PathBuf>,
}

impl FoundTrials {
    /// Adds the trials of an argument.
    fn add(&mut self, argument: usize, name: &str, out: &Path) -> anyhow::Result<()> {
        if !name.contains(['*', '?', '[']) || Path::new(name).exists() {
            return self.add_one(argument, name, out, false);
        }
        let matches = glob::glob(name)
            .with_context(|| format!("failed to read the pattern `{name}`"))
            .context(Hint("`*` matches any characters, `?` one character, `**` directories".to_owned()))?;
        let (found, unread): (Vec<_>, Vec<_>) = matches.partition(Result::is_ok);
        let matches: Vec<PathBuf> = found.into_iter().flatten().collect();
        self.faults.extend(unread.into_iter().filter_map(|error| Some(anyhow::Error::new(error.err()?))));
        let before = self.trials.len() + self.faults.len();
        for path in &matches {
            // in a run directory, `*` also matches weights and images
            let may_be_one = path.is_dir() || is_history_like(path);
            let added = may_be_one.then(|| self.add_one(argument, &path.to_string_lossy(), out, true));
            self.faults.extend(added.and_then(Result::err));
        }
        if before == self.trials.len() + self.faults.len() {
            let message = match matches.len() {
                0 => format!("nothing matches `{name}`"),
                _ => format!("no match of `{name}` is a run or a history"),
            };
            let hint = "name a run directory, a file in it, or an experiment; histories end in `.json` or `.csv`";
            return Err(anyhow!(message).context(Hint(hint.to_owned())));
        }
        Ok(())
    }

    /// Adds the trials of a name without a glob pattern.
    fn add_one(&mut self, argument: usize, name: &str, out: &Path, matched: bool) -> anyhow::Result<()> {
        let path = Path::new(name);
        let is_experiment = path.extension().is_some_and(|extension| extension == "toml") && path.is_file();
        if is_experiment && experiment_directory(name, out).is_none() {
            let error = anyhow!("`{name}` is an experiment file, not a run or a history");
            return Err(error.context(Hint(format!("train it with `runner exp {name}`"))));
        }
        if let Some(sweep) = sweep_at(path) {
            return self.add_sweep(argument, &sweep, matched);
        }
        let is_weights = path.extension().is_some_and(|extension| extension == "safetensors");
        if path.exists() && !path.is_dir() && !is_experiment && !is_weights && !is_runner_history(path) {
            return self.add_foreign(argument, path, matched);
        }
        let run = match SavedRun::find(name, out) {
            Ok(run) => run,
            Err(_) if path.is_dir() && foreign::folder::holds_history(path) => {
                return self.add_foreign(argument, path, matched);
            }
            Err(error) => return Err(error),
        };
        let is_whole = !path.is_file() || is_experiment;
        let run = self.not_named_otherwise(name, out, run);
        self.notes.extend(run.note());
        let training = is_whole.then(|| whole_run::training_note(&run.folder)).flatten();
        self.notes.extend(training.filter(|note| !self.notes.contains(note)));
        let folder = is_whole.then(|| run.folder.canonicalize().unwrap_or(run.folder));
        self.faults.extend(run.damaged.into_iter().map(|Damaged { error, .. }| error));
        self.trials.extend(run.trials.into_iter().map(|saved| FoundTrial {
            argument,
            folder: folder.clone(),
            matched,
            trial: Trial::from_history(saved.history, saved.file),
        }));
        Ok(())
    }

    /// Returns the newest finished run of an experiment that no other argument names, if one names the newest; otherwise `run`.
    fn not_named_otherwise(&mut self, name: &str, out: &Path, run: SavedRun) -> SavedRun {
        let is_named = |folder: &Path| folder.canonicalize().is_ok_and(|folder| self.named.contains(&folder));
        let Some(directory) = experiment_directory(name, out).filter(|_| is_named(&run.folder)) else { return run };
        let runs = newest::runs_in(&directory).unwrap_or_default();
        let other = runs.into_iter().rev().find(|other| newest::is_finished(other) && !is_named(other));
        let Some(other) = other.and_then(|other| SavedRun::find(&other.to_string_lossy(), out).ok()) else {
            return run;
        };
        self.notes.push(format!(
            "another argument names the newest run of `{name}`; for `{name}`, an older run is used: `{}`",
            other.folder.display()
        ));
        other
    }

    /// Removes trials that were named before: `latest` is a link to a run in the same directory, so a pattern matches
    /// both. Returns a note for each argument that names nothing else.
    fn without_repeats(&mut self, names: &[String]) -> Vec<String> {
        let mut seen: HashMap<PathBuf, usize> = HashMap::new(); // the argument that first named each trial
        let mut repeated: BTreeMap<usize, usize> = BTreeMap::new();
        self.trials.retain(|FoundTrial { trial, argument, .. }| {
            let file = trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone());
            let earlier = seen.get(&file).copied();
            match earlier {
                Some(earlier) => repeated.insert(*argument, earlier),
                None => seen.insert(file, *argument),
            };
            earlier.is_none()
        });
        repeated.retain(|argument, _| self.trials.iter().all(|trial| trial.argument != *argument));
        let note = |(argument, earlier): (usize, usize)| match (&names[earlier], &names[argument]) {
            (first, second) if first == second => format!("`{first}` is named twice; it is shown once"),
            (first, second) => format!("`{first}` and `{second}` are the same run; it is shown once"),
        };
        repeated.into_iter().map(note).collect()
    }

    /// Adds the best configurations of a sweep.
    fn add_sweep(&mut self, argument: usize, path: &Path, matched: bool) -> anyhow::Result<()> {
        let (trials, note) = best_trials(path)?;
        self.notes.extend(note);
        let found = |(folder, trial)| FoundTrial { argument, folder: Some(folder), matched, trial };
        self.trials.extend(trials.into_iter().map(found));
        Ok(())
    }

    fn add_foreign(&mut self, argument: usize, path: &Path, matched: bool) -> anyhow::Result<()> {
        let foreign = foreign::read(path)?;
        self.notes.extend(foreign.notes.iter().map(|note| format!("`{}`: {note}", path.display())));
        let trial = Trial::from_foreign(foreign, path.to_path_buf(), None);
        self.trials.push(FoundTrial { argument, folder: None, matched, trial });
        Ok(())
    }
}

/// Returns whether a file is a history of `runner`, of any version. A file saved again by another program may have its
/// keys in another order.
fn is_runner_history(path: &Path) -> bool {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let marks: &[u8] = b"\"runner.history/";
    let has_marks =
        |text: io::Result<Vec<u8>>| text.is_ok_and(|text| text.windows(marks.len()).any(|window| window == marks));
    const BEGINNING: u64 = 4096;
    is_json
        && (has_marks(bounded_file::beginning(path, BEGINNING))
            || has_marks(bounded_file::read(path, memory::max_json_bytes())))
}

/// Returns whether a glob match may be a history of `runner` or of another program.
fn is_history_like(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_other = name.ends_with(".json") && !newest::may_be_history(path);
    !is_other && (name.ends_with(".json") || name.ends_with(".csv") || name.contains("tfevents"))
}

/// Groups trials with the same settings, and returns a note on each group from which trials were dropped.
fn group_trials(trials: Vec<FoundTrial>) -> (Vec<UnlabeledGroup>, Vec<String>) {
    let mut by_key: IndexMap<String, UnlabeledGroup> = IndexMap::new();
    let mut lone = Vec::new();
    for FoundTrial { argument, folder, matched, trial } in trials {
        let history = trial.history().map(settings::identity);
        let key = match (&folder, matched, history) {
            (Some(folder), false, Some(settings)) => format!("{argument} {} {settings}", folder.display()),
            (_, true, Some(settings)) => format!("{argument} {settings}"),
            (None, false, Some(settings)) => settings,
            // foreign histories have no known settings: each is a run
            (_, _, None) => format!("{argument} {}", trial.file.display()),
        };
        let is_lone = folder.is_none() && !matched && trial.history().is_some();
        let group = by_key.entry(key).or_insert_with(|| {
            lone.push(is_lone);
            UnlabeledGroup { argument, folder, trials: Vec::new() }
        });
        group.trials.push(trial);
    }
    let mut groups: Vec<UnlabeledGroup> = by_key.into_values().collect();
    // only histories of one variant: compare its trials
    if groups.len() == 1 && lone[0] && groups[0].trials.len() > 1 {
        let UnlabeledGroup { argument, trials, .. } = groups.remove(0);
        let each = trials.into_iter().map(|trial| UnlabeledGroup { argument, folder: None, trials: vec![trial] });
        return (each.collect(), Vec::new());
    }
    let notes = groups.iter_mut().filter_map(|group| group.keep_newest()).collect();
    (groups, notes)
}
