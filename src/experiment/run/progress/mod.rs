//! Progress of a run, for the command line to show.

pub mod event_log;
pub mod live_log;

use std::collections::BTreeSet;

use indexmap::IndexSet;
use tch::Device;

use crate::data::source::DataSpec;
use crate::data::store::download_progress::DownloadProgress;
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::progress::event_log::{EventFiles, EventLog};
use crate::experiment::run::progress::live_log::LiveLog;
use crate::experiment::store::stack_record::TrialName;
use crate::history::positive_class::PositiveClass;
use crate::history::resampling::ResampleRecord;
use crate::history::{DataRecord, History, RowCounts};
use crate::run_dir::RunDir;
use crate::train::callback::{Callback, EpochReport};

/// Receives the progress of a run.
pub trait RunProgress: DownloadProgress + Callback {
    /// A run of an experiment with this number of variants starts.
    fn planned(&mut self, _variants: usize) {}

    /// The data of a group of plans are loaded, with this checksum.
    ///
    /// # Errors
    /// When the run must not be trained on these data.
    fn loaded(&mut self, _data: &DataSpec, _sha256: &str) -> anyhow::Result<()> {
        Ok(())
    }

    /// A stack starts; its plans, one or more, are variants of one experiment.
    fn starting(&mut self, _plans: &[&Plan], _stack: &StackInfo) {}

    /// The trials of a stack start to train. Each has the epochs up to the checkpoint that it continues from.
    fn trials_started(&mut self, _trials: &[History]) {}

    /// A trial has ended.
    fn trial_ended(&mut self, _history: &History) {}

    /// Worker processes start to train the stacks of a run.
    fn starting_workers(&mut self, _study: &Study, _workers: usize, _stacks: &StacksProgress) {}

    /// Worker processes have trained more of the stacks of a run.
    fn trained_by_workers(&mut self, _stacks: &StacksProgress) {}

    /// A stack of a worker process has ended, as the text says.
    fn stack_ended(&mut self, _text: &str) {}
}

/// Progress of the stacks of a run that worker processes train.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StacksProgress {
    /// Number of stacks that have ended.
    pub ended: usize,
    /// Number of all stacks.
    pub all: usize,
    /// Epoch and number of epochs of each stack in training.
    pub training: Vec<(usize, usize)>,
}

/// A stack: trials that are trained in step.
#[derive(Clone, Debug)]
pub struct StackInfo {
    /// Number of replicas.
    pub replicas: usize,
    /// Name of the trial of each replica.
    pub trials: Vec<String>,
    /// Distinct seeds of its trials.
    pub seeds: Vec<i64>,
    /// For each replica, the index of its variant among the stack's plans.
    pub variants: Vec<usize>,
    /// Number of folds; `None` without cross-validation.
    pub folds: Option<usize>,
    /// Number of rows in each part.
    pub rows: RowCounts,
    /// How the training rows were resampled, if they were.
    pub resampled: Option<ResampleRecord>,
    /// The positive class of a binary target.
    pub positive: Option<PositiveClass>,
    /// Device of the tensors.
    pub device: Device,
    /// Number of CPU threads.
    pub threads: usize,
}

impl StackInfo {
    /// Describes a stack of these trials, whose data are `data`.
    pub fn new(trials: &[TrialName], data: &DataRecord, device: Device, threads: usize) -> StackInfo {
        let variants: IndexSet<&str> = trials.iter().map(|trial| trial.variant.as_str()).collect();
        let folds: BTreeSet<Option<usize>> = trials.iter().map(|trial| trial.fold).collect();
        let variant = |trial: &TrialName| variants.get_index_of(trial.variant.as_str()).unwrap_or_default();
        StackInfo {
            replicas: trials.len(),
            trials: trials.iter().map(TrialName::stem).collect(),
            seeds: trials.iter().map(|trial| trial.seed).collect::<BTreeSet<i64>>().into_iter().collect(),
            variants: trials.iter().map(variant).collect(),
            folds: trials[0].fold.map(|_| folds.len()),
            rows: data.rows,
            resampled: data.resample.clone(),
            positive: data.positive.clone(),
            device,
            threads,
        }
    }
}

/// Passes all reports on, and records the epoch and its metrics in the run directory and in event files, for programs that
/// show the progress.
pub(super) struct RecordedProgress<'a> {
    folder: &'a RunDir,
    live: LiveLog<'a>,
    events: Option<EventLog<'a>>,
    watch: &'a mut dyn RunProgress,
}

impl<'a> RecordedProgress<'a> {
    pub(super) fn new(
        folder: &'a RunDir,
        study: &Study,
        events: Option<&EventFiles>,
        watch: &'a mut dyn RunProgress,
    ) -> Self {
        watch.planned(study.plans.len());
        let events = events.map(|events| EventLog::new(folder, events.folder(&study.name, folder.path())));
        RecordedProgress { folder, live: LiveLog::new(folder), events, watch }
    }

    /// Writes events, and passes the warning on if there is one.
    fn write_events(&mut self, write: impl FnOnce(&mut EventLog) -> Option<String>) {
        let warning = self.events.as_mut().and_then(write);
        warning.iter().for_each(|warning| self.watch.note(warning));
    }
}

impl Callback for RecordedProgress<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.folder.record_progress(report.epoch, report.epochs);
        self.live.add(report);
        self.watch.epoch(report);
        self.write_events(|events| events.add(report));
    }

    fn inner(&mut self) -> Option<&mut dyn Callback> {
        Some(&mut *self.watch)
    }
}

impl DownloadProgress for RecordedProgress<'_> {
    fn inner(&mut self) -> Option<&mut dyn DownloadProgress> {
        Some(&mut *self.watch)
    }
}

impl RunProgress for RecordedProgress<'_> {
    fn loaded(&mut self, data: &DataSpec, sha256: &str) -> anyhow::Result<()> {
        self.watch.loaded(data, sha256)
    }

    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo) {
        if let Some(network) = plans.first().and_then(|plan| plan.network()) {
            self.live.start_stack(&stack.trials, network.train.epochs);
        }
        self.watch.starting(plans, stack);
    }

    fn trials_started(&mut self, trials: &[History]) {
        self.write_events(|events| events.start_stack(trials));
        self.watch.trials_started(trials);
    }

    fn trial_ended(&mut self, history: &History) {
        self.write_events(|events| events.end_trial(history));
        self.watch.trial_ended(history);
    }
}
