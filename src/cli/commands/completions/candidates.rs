//! Candidates for names on the command line. They are read from names of files as far as possible: a shell waits for them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use serde_json::Value;

use crate::cli::args::user_defaults;
use crate::compare::comparison::metric_paths;
use crate::compare::group::Group;
use crate::compare::runs::run_field::FIELDS;
use crate::compare::settings::{DESCRIPTIVE_KEYS, flatten};
use crate::compare::trial::Trial;
use crate::data::store::manifest::Manifest;
use crate::experiment::plan::BASE;
use crate::experiment::spec::{Spec, catalogue};
use crate::experiment::store::about::{self, About};
use crate::experiment::store::newest::{entries, may_be_history};
use crate::experiment::store::run_id::{RunEntries, RunEntry};
use crate::experiment::store::run_name::single_run;
use crate::experiment::store::trial_data::Part;
use crate::history::History;

type Candidates = Vec<CompletionCandidate>;

/// Number of ids that are offered before the first character is typed: those of the newest runs.
const MOST_IDS: usize = 20;

/// Words of the command line that a shell completes; they follow `--` in the arguments of this process.
struct Words(Vec<String>);

impl Words {
    /// Reads the words from the arguments of this process.
    fn of_this_process() -> Words {
        let arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        Words(arguments.skip_while(|word| word != "--").skip(2).collect()) // without the name of the program
    }

    /// Returns the directory of the runs: that of `--out DIR` or `--out=DIR`, or the default.
    fn out(&self) -> PathBuf {
        let named = self.0.iter().enumerate().find_map(|(place, word)| match word.strip_prefix("--out")? {
            "" => self.0.get(place + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        });
        named.map_or_else(|| user_defaults::out().into(), PathBuf::from)
    }

    /// Returns the words that may name an experiment or a run: those after the command that are no options.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().skip(1).map(String::as_str).filter(|word| !word.is_empty() && !word.starts_with('-'))
    }
}

/// Returns the candidates that begin with the word.
fn beginning_with(current: &OsStr, all: impl IntoIterator<Item = impl Into<String>>) -> Candidates {
    let Some(current) = current.to_str() else { return Vec::new() };
    let all = all.into_iter().map(Into::into).filter(|name: &String| name.starts_with(current));
    all.map(CompletionCandidate::new).collect()
}

/// Experiments, and paths of their files.
pub(super) fn experiments(current: &OsStr) -> Candidates {
    let mut found = beginning_with(current, catalogue::all().0.into_iter().map(|experiment| experiment.name));
    let is_toml = |path: &Path| path.is_dir() || path.extension().is_some_and(|extension| extension == "toml");
    found.extend(PathCompleter::any().filter(is_toml).complete(current));
    found
}

/// Experiments with runs.
pub(super) fn experiments_with_runs(current: &OsStr) -> Candidates {
    let entries = RunEntries::list(&Words::of_this_process().out()).0;
    let names: BTreeSet<String> = entries.into_iter().map(|run| run.experiment).collect();
    beginning_with(current, names)
}

/// Runs: experiments, ids, names, `RUN/VARIANT` and paths.
pub(super) fn runs(current: &OsStr) -> Candidates {
    let Some(text) = current.to_str() else { return Vec::new() };
    let out = Words::of_this_process().out();
    if text.contains('/') {
        let mut found = variants_of_run(text, &out);
        found.extend(PathCompleter::any().complete(current));
        return found;
    }
    let mut found = experiments_with_runs(current);
    let runs = RunEntries::list(&out);
    let short = runs.short_ids();
    let mut matching: Vec<&RunEntry> = runs.0.iter().filter(|run| run.id.starts_with(text)).collect();
    matching.sort_by(|a, b| b.name.cmp(&a.name));
    matching.truncate(if text.is_empty() { MOST_IDS } else { usize::MAX });
    found.extend(matching.into_iter().map(|run| {
        let shown = short[&*run.id];
        let id = if shown.len() >= text.len() { shown } else { &run.id };
        CompletionCandidate::new(id).help(Some(format!("{} {}", run.experiment, run.name).into()))
    }));
    let with_name = runs.0.iter().filter(|run| run.folder.join(about::FILE).is_file());
    let names = with_name.filter_map(|run| About::read(&run.folder).ok()?.name);
    found.extend(beginning_with(current, names.collect::<BTreeSet<String>>()));
    if !text.is_empty() {
        found.extend(PathCompleter::any().complete(current));
    }
    found
}

/// Experiments and runs.
pub(super) fn experiments_and_runs(current: &OsStr) -> Candidates {
    unique(experiments(current), runs(current))
}

/// Data sets.
pub(super) fn data_sets(current: &OsStr) -> Candidates {
    beginning_with(current, Manifest::names())
}

/// Data sets and runs.
pub(super) fn data_sets_and_runs(current: &OsStr) -> Candidates {
    unique(data_sets(current), runs(current))
}

/// Data sets, and paths of tables.
pub(super) fn data_sets_and_tables(current: &OsStr) -> Candidates {
    let is_table = |path: &Path| {
        let name = path.to_string_lossy();
        path.is_dir() || [".csv", ".csv.gz", ".tsv"].iter().any(|ending| name.ends_with(ending))
    };
    unique(data_sets(current), PathCompleter::any().filter(is_table).complete(current))
}

/// Parts of the data of a run, and paths of files.
pub(super) fn rows_and_files(current: &OsStr) -> Candidates {
    unique(beginning_with(current, Part::ALL.map(Part::word)), PathCompleter::any().complete(current))
}

/// Joins candidates, each once.
fn unique(mut candidates: Candidates, more: Candidates) -> Candidates {
    for candidate in more {
        if candidates.iter().all(|known| known.get_value() != candidate.get_value()) {
            candidates.push(candidate);
        }
    }
    candidates
}

/// Variants of the run before the slash.
fn variants_of_run(text: &str, out: &Path) -> Candidates {
    let Some((run, variant)) = text.rsplit_once('/') else { return Vec::new() };
    let of_experiment = RunEntries::list(out).0.into_iter().filter(|entry| entry.experiment == run);
    let newest = of_experiment.max_by(|a, b| a.name.cmp(&b.name)).map(|entry| entry.folder);
    let folder = newest.or_else(|| single_run(run, out).ok().map(|found| found.folder));
    let spec = folder.and_then(|folder| {
        toml_edit::de::from_str::<Spec>(&std::fs::read_to_string(folder.join("experiment.toml")).ok()?).ok()
    });
    let mut names: Vec<String> = spec.into_iter().flat_map(|spec| spec.variants).map(|variant| variant.name).collect();
    if names.is_empty() {
        names.push(BASE.to_owned());
    }
    let matching = names.into_iter().filter(|name| name.starts_with(variant));
    matching.map(|name| CompletionCandidate::new(format!("{run}/{name}"))).collect()
}

/// The experiment on the command line.
fn named_experiment() -> Option<Spec> {
    let words = Words::of_this_process();
    words.names().find_map(|name| catalogue::find(name).ok()?.parse().ok())
}

/// Variants of the experiment on the command line.
pub(super) fn variants(current: &OsStr) -> Candidates {
    let variants = named_experiment().map(|spec| spec.variants).unwrap_or_default();
    beginning_with(current, variants.into_iter().map(|variant| variant.name))
}

/// Keys of settings with `=`: those of the experiment on the command line.
pub(super) fn keys(current: &OsStr) -> Candidates {
    if current.to_str().is_none_or(|text| text.contains('=')) {
        return Vec::new();
    }
    let spec = named_experiment().or_else(|| catalogue::shipped().next()?.parse().ok());
    let mut keys = Vec::new();
    if let Some(Value::Object(fields)) = spec.and_then(|spec| serde_json::to_value(spec).ok()) {
        for (key, value) in fields.into_iter().filter(|(key, _)| !DESCRIPTIVE_KEYS.contains(&key.as_str())) {
            add_keys(key, &value, &mut keys);
        }
    }
    beginning_with(current, keys.into_iter().map(|key| format!("{key}=")))
}

/// Adds the keys of all settings in a table, set or not.
fn add_keys(key: String, value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| add_keys(format!("{key}.{name}"), value, keys));
        }
        _ => keys.push(key),
    }
}

/// Devices of this machine.
pub(super) fn devices(current: &OsStr) -> Candidates {
    let cards = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().count();
    let names = ["auto", "cpu", "cuda"].map(str::to_owned);
    beginning_with(current, names.into_iter().chain((0..cards).map(|card| format!("cuda:{card}"))))
}

/// Metric paths of the newest run, of the experiment on the command line if there is one.
pub(super) fn metrics(current: &OsStr) -> Candidates {
    beginning_with(current, newest_trial().map(|group| metric_paths(&[group])).unwrap_or_default())
}

/// Fields, metrics and settings for columns and filters.
pub(super) fn fields(current: &OsStr) -> Candidates {
    let group = newest_trial();
    let settings = group.as_ref().and_then(Group::config).map(flatten).unwrap_or_default();
    let metrics = group.map(|group| metric_paths(&[group])).unwrap_or_default();
    beginning_with(current, FIELDS.map(str::to_owned).into_iter().chain(metrics).chain(settings.into_keys()))
}

/// A trial of the newest run.
fn newest_trial() -> Option<Group> {
    let words = Words::of_this_process();
    let mut runs = RunEntries::list(&words.out()).0;
    if let Some(experiment) = words.names().find(|name| runs.iter().any(|run| run.experiment == *name)) {
        runs.retain(|run| run.experiment == experiment);
    }
    runs.sort_by(|a, b| b.name.cmp(&a.name));
    let first_history = |run: &RunEntry| entries(&run.folder).ok()?.into_iter().find(|file| may_be_history(file));
    let file = runs.iter().take(MOST_IDS).find_map(first_history)?;
    let history = History::read(&file).ok()?;
    Some(Group { label: String::new(), trials: vec![Trial::from_history(history, file)] })
}
