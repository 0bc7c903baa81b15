//! A run made again, by what it has left: with the same settings, seeds and stacks, into another folder.
//!
//! The record of the run says what was asked for and which trials shared a stack. Runs of earlier versions have none:
//! there each history holds its settings and the width of its stack. What was interrupted is trained as far as it went.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Error, anyhow};
use time::OffsetDateTime;

use crate::config::hint::told;
use crate::data::store::fetch;
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::watch::{StackInfo, Watch};
use crate::experiment::run::{self, Finished, Options, grouping};
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::store::find::{Damaged, SavedRun, SavedTrial};
use crate::experiment::store::load_model;
use crate::experiment::store::run_record::{self, RunOptions, RunRecord};
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, StackState, TrialName};
use crate::experiment::verify::weight_diff::WeightDiff;
use crate::history::difference::{Difference, Otherwise, otherwise, unseen};
use crate::history::{History, Status};
use crate::io::bounded_file;
use crate::io::file_names::check_letters;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;
use crate::tensor::threads;
use crate::train::report::{self, EpochReport};
use crate::train::state::timing::Timing;

/// A run that can be made again.
#[derive(Debug)]
pub struct Stored {
    /// Its folder.
    pub folder: PathBuf,
    /// The trials whose histories are there.
    pub trials: Vec<SavedTrial>,
    /// The histories that cannot be read.
    pub damaged: Vec<Damaged>,
    /// What it was asked to run on, and how.
    pub options: RunOptions,
    /// What is to be said of the run that was named.
    pub note: Option<String>,
    study: Study,
    stacks: Vec<GroupRecord>,
    /// The stack that was interrupted, counted from 0, and how many epochs it has.
    interrupted: Option<(usize, usize)>,
}

/// What has come of a trial that was made again.
#[derive(Debug)]
pub struct Outcome {
    /// Whether both were tested.
    pub tested: bool,
    /// In what the histories differ.
    pub difference: Difference,
    /// Whether it is a tree.
    pub is_tree: bool,
    /// How the weights, or the splits of a tree, stand to each other.
    pub kept_file: WeightDiff,
    /// What was otherwise, and is known.
    pub otherwise: Vec<Otherwise>,
    /// What may have been otherwise.
    pub unseen: Vec<String>,
}

impl Outcome {
    /// Whether the trial came out the same, to the last bit; `None` where its metrics did, and its weights or tree could
    /// not be compared.
    pub fn is_identical(&self) -> Option<bool> {
        if self.difference.is_none() { self.kept_file.is_same() } else { Some(false) }
    }
}

impl Stored {
    /// Reads the run of this name, as [`SavedRun::find`] finds it.
    ///
    /// # Errors
    /// When there is no such run, it has left no history, or its settings can no longer be read.
    pub fn read(named: &str, out: &Path) -> anyhow::Result<Stored> {
        let run = SavedRun::find(named, out)?;
        let note = run.note();
        let SavedRun { folder, trials, damaged, .. } = run;
        let stored = match RunRecord::is_in(&folder) {
            true => by_record(RunRecord::read(&folder)?, folder, trials, damaged)?,
            false => by_histories(folder, trials, damaged)?,
        };
        Ok(Stored { note, ..stored })
    }

    /// Makes it again, in a new folder under `out`. Says as well whether it was stopped from outside.
    ///
    /// # Errors
    /// When its data cannot be had, or the folder not be written to.
    pub fn again(&self, out: &Path, options: &Options, watch: &mut dyn Watch) -> anyhow::Result<(Finished, bool)> {
        RunDir::check(out, &self.study.name)?;
        let started = OffsetDateTime::now_utc();
        let file = self.folder.join("experiment.toml");
        let resolved = bounded_file::read_to_string(&file, bounded_file::EXPERIMENT);
        let resolved = resolved.unwrap_or_else(|_| self.study.spec.to_toml()); // a copy of a run may have lost it
        let record =
            RunRecord { groups: self.stacks.clone(), ..RunRecord::new(&self.study, options.record(), started)? };
        let begun = record.to_json()?;
        let beside = [(run_record::FILE, begun.as_bytes())];
        let folder = RunDir::create(out, &self.study.name, &resolved, &beside, started)?;
        let mut up_to = UpTo { watch, requests: options.requests, begun: 0, at: self.interrupted, reached: false };
        let finished = run::resume(folder, record, &self.study, options, None, &mut up_to)?;
        let stopped = finished.interrupted && !up_to.reached;
        Ok((finished, stopped))
    }
}

/// Compares a trial with the one that was made again in this folder; `None` where it was not.
pub fn compare(then: &SavedTrial, again: &Path) -> Option<Outcome> {
    let now = History::read(&again.join(then.file.file_name()?)).ok()?;
    let file = |path: PathBuf| again.join(path.file_name().unwrap_or_default());
    let kept = if then.history.tree.is_some() { then.tree() } else { then.weights() };
    let difference = Difference::of(&then.history, &now);
    // weights of other epochs are no weights of the same
    let as_far = then.history.history.len() == now.history.len();
    let is_whole = then.history.status != Status::Interrupted || as_far;
    let kept_file = if is_whole { WeightDiff::compare(&kept, &file(kept.clone())) } else { WeightDiff::None };
    Some(Outcome {
        tested: then.history.test.is_some() && now.test.is_some(),
        difference,
        is_tree: then.history.tree.is_some(),
        kept_file,
        otherwise: otherwise(&then.history, &now),
        unseen: unseen(&then.history, &now),
    })
}

/// A run that has left its record.
fn by_record(
    record: RunRecord,
    folder: PathBuf,
    trials: Vec<SavedTrial>,
    damaged: Vec<Damaged>,
) -> anyhow::Result<Stored> {
    let mut study = record.study()?;
    let has_left = |stack: &StackRecord| trials.iter().any(|trial| stack.trials.contains(&name(&trial.history)));
    let mut stacks = Vec::new();
    let mut variants: Vec<String> = Vec::new();
    for (group, plans) in record.groups.iter().zip(grouping::groups(&study.plans)) {
        let left: Vec<StackRecord> = group.stacks.iter().filter(|stack| has_left(stack)).map(waiting).collect();
        if !left.is_empty() {
            variants.extend(plans.iter().map(|plan| plan.variant.clone()));
            // without a checksum: other data are a difference to be told, and no reason to stop
            stacks.push(GroupRecord { data: String::new(), stacks: left });
        }
    }
    study.plans.retain(|plan| variants.contains(&plan.variant));
    if stacks.is_empty() {
        return Err(anyhow!("the record of the run in `{}` lists none of its trials", folder.display()));
    }
    let in_order = || stacks.iter().flat_map(|group| &group.stacks);
    let epochs = |stack: &StackRecord| {
        let interrupted = trials.iter().filter(|trial| trial.history.status == Status::Interrupted);
        let of_stack = interrupted.filter(|trial| stack.trials.contains(&name(&trial.history)));
        of_stack.map(|trial| trial.history.history.len()).max()
    };
    let interrupted = in_order().enumerate().find_map(|(number, stack)| Some((number, epochs(stack)?)));
    Ok(Stored { folder, trials, damaged, options: record.options, note: None, study, stacks, interrupted })
}

/// A run of an earlier version: its settings stand in its histories.
fn by_histories(folder: PathBuf, trials: Vec<SavedTrial>, damaged: Vec<Damaged>) -> anyhow::Result<Stored> {
    let mut plans: Vec<Plan> = Vec::new();
    for SavedTrial { history, .. } in &trials {
        if plans.iter().all(|plan| plan.variant != history.variant) {
            let plan = load_model::plan(history, None, &folder)?;
            plans.push(Plan { asked: history.asked.clone(), ..plan });
        }
    }
    let first = &trials[0].history; // a run has one at least
    let names = [("experiment", &first.experiment)].into_iter();
    for (key, name) in names.chain(plans.iter().map(|plan| ("variant", &plan.variant))) {
        check_letters(key, name).map_err(told).context("the history is damaged")?;
    }
    threads::parse(&first.environment.threads.to_string())
        .map_err(Error::msg)
        .context("the history states its threads")?;
    let environment = &first.environment;
    let spec = plans[0].spec.clone();
    let origin = trials[0].file.display().to_string();
    let source = SourceText { name: first.experiment.clone(), origin, text: spec.to_toml(), folder: None };
    let widest = trials.iter().map(|trial| trial.history.environment.replicas).max();
    let options = RunOptions {
        device: environment.device.clone(),
        threads: environment.threads,
        stack: widest.filter(|&replicas| replicas > 0),
        tf32: environment.precision.as_deref() == Some("tf32"),
        deterministic: environment.deterministic.unwrap_or(false),
    };
    let study = Study { name: first.experiment.clone(), spec, plans, source, changes: Vec::new(), notes: Vec::new() };
    Ok(Stored { folder, trials, damaged, options, note: None, study, stacks: Vec::new(), interrupted: None })
}

fn name(history: &History) -> TrialName {
    TrialName { variant: history.variant.clone(), fold: history.fold, seed: history.seed }
}

/// The same stack, with nothing of it done.
fn waiting(stack: &StackRecord) -> StackRecord {
    StackRecord { state: StackState::Waiting, fault: None, trials: stack.trials.clone() }
}

/// Stops the run where the one before it was stopped, and passes on what is told of it.
struct UpTo<'a> {
    watch: &'a mut dyn Watch,
    requests: &'a Signals,
    /// How many stacks have begun.
    begun: usize,
    /// The stack that is to be stopped, from 0, and behind which epoch.
    at: Option<(usize, usize)>,
    /// Whether it was.
    reached: bool,
}

impl Watch for UpTo<'_> {
    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo) {
        self.begun += 1;
        self.watch.starting(plans, stack);
        self.stop_behind(0);
    }
}

impl UpTo<'_> {
    fn stop_behind(&mut self, epoch: usize) {
        if self.at.is_some_and(|(stack, last)| self.begun == stack + 1 && epoch >= last) && !self.requests.is_stopped()
        {
            self.reached = true;
            self.requests.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl report::Watch for UpTo<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.watch.epoch(report);
        self.stop_behind(report.epoch);
    }

    fn note(&mut self, text: &str) {
        self.watch.note(text);
    }

    fn phases(&mut self, phases: &Timing) {
        self.watch.phases(phases);
    }
}

impl fetch::Watch for UpTo<'_> {
    fn doing(&mut self, what: &str) {
        self.watch.doing(what);
    }

    fn progress(&mut self, bytes: u64, of: Option<u64>) {
        self.watch.progress(bytes, of);
    }
}
