//! Reproduces a run from its stored files: same settings, seeds and stacks, in a new directory.
//!
//! The run record holds the request and the stacks. Runs of older versions have no record; there, each history holds
//! the settings and the number of replicas. Interrupted trials, and those stopped by the time limit, are trained up to the
//! same epoch.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Error, anyhow};
use time::OffsetDateTime;

use crate::config::hint::into_error;
use crate::data::store::download_progress::DownloadProgress;
use crate::device::precision::Precision;
use crate::experiment::halving::rule::HalvingRule;
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::progress::{RunProgress, StackInfo};
use crate::experiment::run::{self, Finished, Options};
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::store::about::About;
use crate::experiment::store::find::{Damaged, SavedRun, SavedTrial};
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, TrialName, groups_of};
use crate::experiment::store::{load_model, pretrained, whole_run};
use crate::experiment::verify::weight_diff::WeightDiff;
use crate::history::difference::{Difference, RunDifference, run_differences, unknown_differences};
use crate::history::{History, Status};
use crate::io::bounded_file;
use crate::io::file_names::check_letters;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;
use crate::tensor::threads;
use crate::train::callback::{Callback, EpochReport};

/// A stored run that can be reproduced.
#[derive(Debug)]
pub struct ReproducibleRun {
    /// The run directory.
    pub folder: PathBuf,
    /// The trials with readable histories.
    pub trials: Vec<SavedTrial>,
    /// The histories that are missing or unreadable.
    pub damaged: Vec<Damaged>,
    /// Device, threads and arithmetic.
    pub options: RunOptions,
    /// Note about the named run.
    pub note: Option<String>,
    study: Study,
    stacks: Vec<GroupRecord>,
    halving: Option<HalvingRule>,
    /// Index of the unfinished stack, its number of epochs, and what stopped it.
    unfinished: Option<(usize, usize, Status)>,
}

/// Comparison of a trial with its reproduction.
#[derive(Debug)]
pub struct TrialComparison {
    /// Whether both were evaluated on test rows.
    pub tested: bool,
    /// Difference of the histories.
    pub difference: Difference,
    /// Whether the model is a tree.
    pub is_tree: bool,
    /// Difference of the weights files or trees.
    pub kept_file: WeightDiff,
    /// Known differences of the environment.
    pub otherwise: Vec<RunDifference>,
    /// Possible differences that the histories do not record.
    pub unseen: Vec<String>,
}

impl TrialComparison {
    /// Whether the reproduction is identical to the last bit; `None` if the metrics are, but the weights or trees could
    /// not be compared.
    pub fn is_identical(&self) -> Option<bool> {
        if self.difference.is_none() { self.kept_file.is_same() } else { Some(false) }
    }
}

impl ReproducibleRun {
    /// Reads the run with this name, which [`SavedRun::find`] looks up.
    ///
    /// # Errors
    /// When there is no such run, it has no history, or its settings can no longer be read.
    pub fn read(named: &str, out: &Path) -> anyhow::Result<ReproducibleRun> {
        whole_run::check(named, out, "reproduce")?;
        let run = SavedRun::find(named, out)?;
        let note = run.note();
        let SavedRun { folder, trials, damaged, .. } = run;
        let mut stored = match RunRecord::is_in(&folder) {
            true => from_record(RunRecord::read(&folder)?, folder, trials, damaged)?,
            false => from_histories(folder, trials, damaged)?,
        };
        pretrained::resolve(&mut stored.study.plans, out)?;
        Ok(ReproducibleRun { note, ..stored })
    }

    /// Trains the run again in a new directory under `out`. Also returns whether it was stopped by a signal.
    ///
    /// # Errors
    /// When its data cannot be loaded, or the directory cannot be written to.
    pub fn reproduce(
        &self,
        out: &Path,
        options: &Options,
        watch: &mut dyn RunProgress,
    ) -> anyhow::Result<(Finished, bool)> {
        RunDir::check(out, &self.study.name)?;
        let started = OffsetDateTime::now_utc();
        let file = self.folder.join("experiment.toml");
        let resolved = bounded_file::read_to_string(&file, bounded_file::EXPERIMENT);
        let resolved = resolved.unwrap_or_else(|_| self.study.spec.to_toml()); // a copied run may have lost it
        let record = RunRecord {
            groups: self.stacks.clone(),
            halving: self.halving.clone(),
            ..RunRecord::new(&self.study, options.record(), started)?
        };
        let beside = run::first_files(&record, &self.study)?;
        let folder = RunDir::create(out, &self.study.name, &resolved, &beside, started)?;
        let mut up_to =
            StopWhereOriginalStopped { watch, signals: options.signals, begun: 0, at: self.unfinished, reached: false };
        let finished = run::resume(folder, record, &self.study, options, None, &mut up_to)?;
        let stopped = finished.interrupted && !up_to.reached;
        Ok((finished, stopped))
    }
}

/// Compares a trial with its reproduction in the directory `reproduced`; `None` if it was not reproduced.
pub fn compare(then: &SavedTrial, reproduced: &Path) -> Option<TrialComparison> {
    let now = History::read(&reproduced.join(then.file.file_name()?)).ok()?;
    let file = |path: PathBuf| reproduced.join(path.file_name().unwrap_or_default());
    let kept = if then.history.tree.is_some() { then.tree() } else { then.weights() };
    let difference = Difference::between(&then.history, &now);
    // weights of different epochs are not comparable
    let as_far = then.history.history.len() == now.history.len();
    let is_complete = !then.history.status.is_unfinished() || as_far;
    let kept_file = if is_complete { WeightDiff::compare(&kept, &file(kept.clone())) } else { WeightDiff::None };
    Some(TrialComparison {
        tested: then.history.test.is_some() && now.test.is_some(),
        difference,
        is_tree: then.history.tree.is_some(),
        kept_file,
        otherwise: run_differences(&then.history, &now),
        unseen: unknown_differences(&then.history, &now),
    })
}

/// Prepares a run with a record.
fn from_record(
    record: RunRecord,
    folder: PathBuf,
    trials: Vec<SavedTrial>,
    damaged: Vec<Damaged>,
) -> anyhow::Result<ReproducibleRun> {
    let mut study = record.study()?;
    let has_left = |stack: &StackRecord| trials.iter().any(|trial| stack.trials.contains(&trial_name(&trial.history)));
    let mut stacks = Vec::new();
    let mut variants: Vec<String> = Vec::new();
    for (group, plans) in record.groups.iter().zip(groups_of(&record.groups, &study.plans)) {
        let left: Vec<StackRecord> =
            group.stacks.iter().filter(|stack| has_left(stack)).map(StackRecord::reset).collect();
        if !left.is_empty() {
            variants.extend(plans.iter().map(|plan| plan.variant.clone()));
            // without a checksum: changed data are reported as a difference, not as an error
            stacks.push(GroupRecord { data: String::new(), stacks: left });
        }
    }
    study.plans.retain(|plan| variants.contains(&plan.variant));
    if stacks.is_empty() {
        return Err(anyhow!("the record of the run in `{}` lists none of its trials", folder.display()));
    }
    let in_order = || stacks.iter().flat_map(|group| &group.stacks);
    let unfinished = |(number, stack): (usize, &StackRecord)| {
        let unfinished = trials.iter().map(|trial| &trial.history).filter(|history| history.status.is_unfinished());
        let of_stack = unfinished.filter(|history| stack.trials.contains(&trial_name(history)));
        of_stack.map(|history| (number, history.history.len(), history.status)).max_by_key(|(_, epochs, _)| *epochs)
    };
    let unfinished = in_order().enumerate().find_map(unfinished);
    let RunRecord { options, halving, .. } = record;
    Ok(ReproducibleRun { folder, trials, damaged, options, note: None, study, stacks, halving, unfinished })
}

/// Prepares a run of an older version: its settings are in its histories.
fn from_histories(folder: PathBuf, trials: Vec<SavedTrial>, damaged: Vec<Damaged>) -> anyhow::Result<ReproducibleRun> {
    let mut plans: Vec<Plan> = Vec::new();
    for SavedTrial { history, .. } in &trials {
        if plans.iter().all(|plan| plan.variant != history.variant) {
            let plan = load_model::rebuild_plan(history, None, &folder)?;
            plans.push(Plan { asked: history.asked.clone(), ..plan });
        }
    }
    let first = &trials[0].history; // a run has at least one
    let names = [("experiment", &first.experiment)].into_iter();
    for (key, name) in names.chain(plans.iter().map(|plan| ("variant", &plan.variant))) {
        check_letters(key, name).map_err(into_error).context("the history is damaged")?;
    }
    threads::parse(&first.environment.threads.to_string())
        .map_err(Error::msg)
        .context("the history has an invalid number of threads")?;
    let environment = &first.environment;
    let spec = plans[0].spec.clone();
    let origin = trials[0].file.display().to_string();
    let source = SourceText { name: first.experiment.clone(), origin, text: spec.to_toml(), ..SourceText::default() };
    let widest = trials.iter().map(|trial| trial.history.environment.replicas).max();
    let options = RunOptions {
        device: environment.device.clone(),
        threads: environment.threads,
        stack: widest.filter(|&replicas| replicas > 0),
        precision: Precision::recorded(environment.precision.as_deref()),
        deterministic: environment.deterministic.unwrap_or(false),
    };
    let study = Study {
        name: first.experiment.clone(),
        spec,
        plans,
        source,
        changes: Vec::new(),
        selected: Vec::new(),
        notes: Vec::new(),
        about: About::default(),
    };
    let (stacks, halving, unfinished) = (Vec::new(), None, None);
    Ok(ReproducibleRun { folder, trials, damaged, options, note: None, study, stacks, halving, unfinished })
}

fn trial_name(history: &History) -> TrialName {
    TrialName { variant: history.variant.clone(), fold: history.fold, seed: history.seed }
}

/// Stops the run where the original was stopped, and passes on its progress.
struct StopWhereOriginalStopped<'a> {
    watch: &'a mut dyn RunProgress,
    signals: &'a Signals,
    /// Number of stacks that have started.
    begun: usize,
    /// Index of the stack to stop, the epoch to stop after, and what stopped the original.
    at: Option<(usize, usize, Status)>,
    /// Whether it was stopped there.
    reached: bool,
}

impl RunProgress for StopWhereOriginalStopped<'_> {
    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo) {
        self.begun += 1;
        self.watch.starting(plans, stack);
        self.stop_behind(0);
    }
}

impl StopWhereOriginalStopped<'_> {
    fn stop_behind(&mut self, epoch: usize) {
        let is_there = |(stack, last, _): &(usize, usize, Status)| self.begun == stack + 1 && epoch >= *last;
        if let Some((.., status)) = self.at.filter(is_there).filter(|_| !self.signals.is_stopped()) {
            self.reached = true;
            match status {
                Status::TimeLimit => self.signals.end_time(),
                _ => self.signals.stop.store(true, Ordering::Relaxed),
            }
        }
    }
}

impl Callback for StopWhereOriginalStopped<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.watch.epoch(report);
        self.stop_behind(report.epoch);
    }

    fn inner(&mut self) -> Option<&mut dyn Callback> {
        Some(&mut *self.watch)
    }
}

impl DownloadProgress for StopWhereOriginalStopped<'_> {
    fn inner(&mut self) -> Option<&mut dyn DownloadProgress> {
        Some(&mut *self.watch)
    }
}
