//! A run that is watched: its record, the histories of its trials that are done, and the curves of those in training.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use indexmap::IndexSet;

use crate::cli::commands::watch::view::{
    Metric, Model, State, View, curve, last, names_of_metrics, of_validation, seconds_per_epoch, table_metrics,
};
use crate::cli::text::number_format::{self, count, counted};
use crate::cli::text::shell_words::quoted_path;
use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::is_metric;
use crate::config::hint::in_a_line;
use crate::experiment::run::parts::folder_of_parts;
use crate::experiment::spec::Spec;
use crate::experiment::store::best_trial::stated_monitor;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::{StackRecord, StackState, TrialName};
use crate::history::curves::Curves;
use crate::history::{Best, History, Status};
use crate::io::bounded_file;
use crate::io::host_name::host_name;
use crate::run_dir::live_tail::{LiveTail, LiveTrial};
use crate::run_dir::writer::Writer;

/// Maximum number of variants whose curves are shown.
const MOST_CURVES: usize = 6;

/// A run.
pub struct RunModel {
    folder: PathBuf,
    record: RunRecord,
    live: LiveTail,
    /// The files of stacks that worker processes train, by their directories.
    parts: BTreeMap<PathBuf, LiveTail>,
    done: BTreeMap<String, DoneTrial>,
    /// Number of trials of the experiment without folds.
    planned: usize,
    /// The metric that the experiment monitors, if it states one.
    monitor: Option<String>,
    no_curves: Curves,
}

/// A trial with a history.
struct DoneTrial {
    status: Status,
    curves: Curves,
    best: Option<Best>,
}

/// A trial as it is shown.
struct Trial<'a> {
    name: &'a TrialName,
    state: &'static str,
    /// Number of epochs that it can have; 0 if it is unknown.
    epochs: usize,
    curves: &'a Curves,
    best: Option<&'a Best>,
}

impl Trial<'_> {
    /// Part of its epochs that are trained.
    fn share(&self) -> f64 {
        self.curves.len() as f64 / self.epochs.max(1) as f64
    }

    fn is_in_training(&self) -> bool {
        self.state == TRAINING
    }
}

/// States of trials that have not ended.
const TRAINING: &str = "training";
const INTERRUPTED: &str = "interrupted";
const WAITING: &str = "waiting";
const FAILED: &str = "failed";

impl RunModel {
    /// Opens the run in this directory.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn open(folder: PathBuf) -> anyhow::Result<RunModel> {
        let record = RunRecord::read(&folder)?;
        let live = LiveTail::new(&folder);
        let planned = planned_trials(&folder, &record);
        let monitor = stated_monitor(&folder);
        let (parts, done) = (BTreeMap::new(), BTreeMap::new());
        Ok(RunModel { folder, record, live, parts, done, planned, monitor, no_curves: Curves::default() })
    }

    /// Reads what is new in the files of the run. The curves come first: when they are removed, the record and the histories are
    /// complete. Returns why the record cannot be read.
    fn read(&mut self) -> Option<String> {
        let _ = self.live.update(); // curves that cannot be read stay as they are
        let parts = std::fs::read_dir(folder_of_parts(&self.folder)).into_iter().flatten().flatten();
        for part in parts.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let file = LiveTail::new(&part);
            self.parts.entry(part).or_insert(file);
        }
        self.parts.values_mut().for_each(|file| drop(file.update()));
        let problem = match RunRecord::read(&self.folder) {
            Ok(record) => {
                self.record = record;
                None
            }
            Err(error) => Some(in_a_line(&error)),
        };
        let ended = self.record.stacks().filter(|stack| stack.state == StackState::Done);
        for stem in ended.flat_map(|stack| &stack.trials).map(TrialName::stem) {
            if !self.done.contains_key(&stem)
                && let Ok(history) = History::read(&self.folder.join(format!("{stem}.json")))
            {
                let History { status, history: curves, best, .. } = history;
                self.done.insert(stem, DoneTrial { status, curves, best });
            }
        }
        problem
    }

    /// Returns what is known of a trial in training.
    fn live_trial(&self, stem: &str) -> Option<&LiveTrial> {
        let files = self.parts.values().chain([&self.live]);
        let own = files.flat_map(LiveTail::trials).filter(|trial| trial.name == stem);
        own.max_by_key(|trial| trial.curves.len())
    }

    /// Returns the trials in the order of the record.
    fn trials(&self, is_running: bool) -> Vec<Trial<'_>> {
        let named = self.record.stacks().flat_map(|stack| stack.trials.iter().map(move |name| (stack.state, name)));
        named.map(|(stack, name)| self.trial(stack, name, is_running)).collect()
    }

    fn trial<'a>(&'a self, stack: StackState, name: &'a TrialName, is_running: bool) -> Trial<'a> {
        let stem = name.stem();
        if let (StackState::Done, Some(done)) = (stack, self.done.get(&stem)) {
            let DoneTrial { status, curves, best } = done;
            return Trial { name, state: status.word(), epochs: curves.len(), curves, best: best.as_ref() };
        }
        let live = self.live_trial(&stem);
        let has_begun = live.is_some_and(|live| !live.curves.is_empty());
        let state = match stack {
            StackState::Failed => FAILED,
            StackState::Done => Status::Completed.word(),
            StackState::Waiting if !has_begun => WAITING,
            StackState::Waiting if is_running => TRAINING,
            StackState::Waiting => INTERRUPTED,
        };
        let curves = live.map_or(&self.no_curves, |live| &live.curves);
        Trial { name, state, epochs: live.map_or(0, |live| live.epochs), curves, best: None }
    }

    /// Returns the number of all trials; groups that have not started are not in the record.
    fn all_trials(&self, known: &[Trial]) -> usize {
        let folds: BTreeSet<Option<usize>> = known.iter().map(|trial| trial.name.fold).collect();
        known.len().max(self.planned * folds.len().max(1))
    }

    /// Returns the estimated seconds to the end: the epochs of all trials that have not ended, as fast as the last ones.
    fn left(&self, trials: &[Trial], all: usize) -> Option<f64> {
        let pace: Vec<f64> = trials.iter().filter_map(|trial| seconds_per_epoch(trial.curves)).collect();
        let usual = pace.iter().sum::<f64>() / pace.len().max(1) as f64;
        let most = trials.iter().map(|trial| trial.epochs).max().filter(|_| !pace.is_empty())?;
        let open = |stack: &&StackRecord| stack.state == StackState::Waiting;
        let of_stack = |stack: &StackRecord| {
            let live: Vec<&LiveTrial> = stack.trials.iter().filter_map(|name| self.live_trial(&name.stem())).collect();
            let trained = live.iter().map(|trial| trial.curves.len()).max().unwrap_or(0);
            let epochs = live.first().map_or(most, |trial| trial.epochs);
            let pace = live.iter().find_map(|trial| seconds_per_epoch(&trial.curves)).unwrap_or(usual);
            epochs.saturating_sub(trained) as f64 * pace
        };
        let seconds: f64 = self.record.stacks().filter(open).map(of_stack).sum();
        let widest = self.record.stacks().map(|stack| stack.trials.len()).max().unwrap_or(1).max(1);
        let unknown = all.saturating_sub(trials.len()).div_ceil(widest);
        let workers = self.parts.keys().filter(|part| is_running(part)).count().max(1);
        Some((seconds + unknown as f64 * most as f64 * usual) / workers as f64)
    }

    /// Returns the metrics with their curves: of a single variant those of training and validation rows together, otherwise one
    /// curve for each variant.
    fn metrics(&self, trials: &[Trial], names: &[String]) -> Vec<Metric> {
        let variants: IndexSet<&str> = trials.iter().map(|trial| trial.name.variant.as_str()).collect();
        let curves = |variant: &str| -> Vec<&Curves> {
            trials.iter().filter(|trial| trial.name.variant == variant).map(|trial| trial.curves).collect()
        };
        if variants.len() == 1 {
            let curves = curves(variants[0]);
            let own = names.iter().filter(|name| !name.starts_with("val_"));
            let metric = |name: &String| {
                let validation = of_validation(name);
                let parts = match names.contains(&validation) {
                    true => vec![curve("validation", &curves, &validation), curve("training", &curves, name)],
                    false => vec![curve(if is_metric(name) { "training" } else { "" }, &curves, name)],
                };
                Metric { name: name.clone(), curves: parts }
            };
            return own.map(metric).collect();
        }
        let shown = |name: &String| {
            let all = variants.iter().map(|variant| curve(variant, &curves(variant), name));
            all.filter(|curve| !curve.points.is_empty()).take(MOST_CURVES).collect()
        };
        names.iter().map(|name| Metric { name: name.clone(), curves: shown(name) }).collect()
    }

    fn facts(&self, trials: usize) -> Vec<String> {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let host = self.record.host.clone().filter(|host| *host != host_name());
        let facts = vec![name, counted(trials, "trial"), self.record.options.device.clone()];
        facts.into_iter().chain(host).collect()
    }
}

impl Model for RunModel {
    fn refresh(&mut self) -> View {
        let exists = self.folder.is_dir();
        let is_running = is_running(&self.folder);
        let problem = self.read().filter(|_| exists);
        let trials = self.trials(is_running);
        let has_failed = trials.iter().any(|trial| trial.state == FAILED);
        let state = match () {
            () if !exists => State::Deleted,
            () if is_running => State::Training,
            () if self.record.finished => State::Finished,
            () if has_failed => State::Failed,
            () => State::Interrupted,
        };
        let names = names_of_metrics(trials.iter().map(|trial| trial.curves));
        let of_ended = trials.iter().find_map(|trial| Some(trial.best?.monitor.as_str()));
        let candidates = [of_ended, self.monitor.as_deref(), Some("val_loss"), Some("loss")];
        let has = |wanted: &&str| names.iter().any(|name| name == wanted);
        let main_metric = candidates.into_iter().flatten().find(has).map(str::to_owned);
        let all = self.all_trials(&trials);
        let ended = self.record.stacks().filter(|stack| stack.state != StackState::Waiting);
        let ended: usize = ended.map(|stack| stack.trials.len()).sum();
        let open = trials.iter().filter(|trial| [TRAINING, INTERRUPTED].contains(&trial.state));
        let share = (ended as f64 + open.map(Trial::share).sum::<f64>()) / all.max(1) as f64;
        let mut notes: Vec<String> = main_metric.iter().filter_map(|metric| best(&trials, metric)).collect();
        notes.extend(problem);
        if matches!(state, State::Interrupted | State::Failed) {
            notes.push(format!("continue with `runner resume {}`", quoted_path(&self.folder)));
        }
        let shown = table_metrics(&names, main_metric.as_deref());
        let columns = ["trial", "epoch", "state"].into_iter().chain(shown.iter().map(|name| name.as_str()));
        let columns = columns.map(str::to_owned).collect();
        let row = |trial: &Trial| {
            let epoch = match (trial.curves.len(), trial.epochs) {
                (_, 0) => "–".to_owned(),
                (trained, epochs) => format!("{trained}/{epochs}"),
            };
            let values = shown.iter().map(|name| number_format::of(name, last(trial.curves, name)));
            [trial.name.stem(), epoch, trial.state.to_owned()].into_iter().chain(values).collect()
        };
        let mut in_order: Vec<&Trial> = trials.iter().collect();
        in_order.sort_by_key(|trial| !trial.is_in_training());
        View {
            name: self.record.experiment.clone(),
            facts: self.facts(all),
            state,
            share: if state == State::Finished { 1.0 } else { share.min(1.0) },
            progress: progress(&trials, ended, all),
            left: self.left(&trials, all).filter(|_| state == State::Training),
            notes,
            metrics: self.metrics(&trials, &names),
            main_metric,
            columns: (columns, (3..3 + shown.len()).chain([1]).collect()),
            rows: in_order.into_iter().map(row).collect(),
        }
    }
}

/// Whether a process trains the run in this directory.
pub fn is_running(folder: &Path) -> bool {
    Writer::find(folder).is_some_and(|writer| writer.is_running)
}

/// Returns the number of variants of an experiment times that of its seeds.
fn planned_trials(folder: &Path, record: &RunRecord) -> usize {
    let text = bounded_file::read_to_string(&folder.join("experiment.toml"), bounded_file::EXPERIMENT);
    let spec = text.ok().and_then(|text| toml_edit::de::from_str::<Spec>(&text).ok());
    let Some(spec) = spec else { return 0 };
    let variants = if record.variants.is_empty() { spec.variants.len() } else { record.variants.len() };
    variants.max(1) * spec.seeds.len()
}

/// Returns how far the trials are, in words.
fn progress(trials: &[Trial], ended: usize, all: usize) -> String {
    let is_open = |trial: &&Trial| [TRAINING, INTERRUPTED].contains(&trial.state);
    let open = || trials.iter().filter(is_open);
    let epoch = open().map(|trial| trial.curves.len()).max().unwrap_or(0);
    let epochs = open().map(|trial| trial.epochs).max();
    let parts = [
        epochs.map(|epochs| format!("epoch {epoch}/{epochs}")),
        (ended > 0 || all > open().count()).then(|| format!("{} of {} trials done", count(ended), count(all))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the best value of a metric of all trials and epochs, in words.
fn best(trials: &[Trial], metric: &str) -> Option<String> {
    let is_higher_better = higher_is_better(metric).unwrap_or(false);
    let values = trials.iter().flat_map(|trial| {
        let series = trial.curves.series.get(metric).into_iter().flatten();
        let values = trial.curves.epoch.iter().zip(series).filter(|(_, value)| value.0.is_finite());
        values.map(move |(epoch, value)| (trial, *epoch, value.0))
    });
    let better = |best: f64, next: f64| (next > best) == is_higher_better && next != best;
    let (trial, epoch, value) = values.reduce(|best, next| if better(best.2, next.2) { next } else { best })?;
    let value = number_format::of(metric, Some(value));
    Some(format!("best {metric} {value}: {}, epoch {epoch}", trial.name.stem()))
}
