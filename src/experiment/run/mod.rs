//! Running a study: load, train every plan's trials, write, and hold all of it against what is expected.
//!
//! The run's folder is made before training starts, so that a folder that cannot be written to is found while nothing
//! is lost yet; each history is written as soon as its stack has ended. A run that was interrupted, or killed, goes on
//! by its record: what is done is read, the stack that was being trained goes on from its checkpoint, and the rest is
//! trained as it would have been.

pub mod baselines;
pub mod checkpointing;
pub mod error;
pub mod footprint;
pub mod grouping;
pub mod place;
pub mod scheduler;
pub mod source_rows;
mod stack;
pub mod stack_queue;
pub mod test_metrics;
pub mod tree;
mod unseen_classes;
pub mod watch;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;

use tch::Device;
use time::OffsetDateTime;

use crate::data::prepare::fitted_data::FittedData;
use crate::data::store::cache::Cache;
use crate::data::store::fetch;
use crate::device;
use crate::device::arithmetic::Arithmetic;
use crate::device::fault::guarded;
use crate::experiment::plan::study::Study;
use crate::experiment::plan::{BASE, Model, Plan};
use crate::experiment::run::checkpointing::{Found, Pace};
use crate::experiment::run::error::Work;
use crate::experiment::run::place::Place;
use crate::experiment::run::scheduler::{Ended, run_group};
use crate::experiment::run::source_rows::{Fold, SourceRows};
use crate::experiment::run::watch::Watch;
use crate::experiment::store::newest;
use crate::experiment::store::preprocessing_file::PreprocessingFile;
use crate::experiment::store::run_record::{self, RunOptions, RunRecord};
use crate::experiment::store::run_state::RunState;
use crate::history::{History, expectation, theirs};
use crate::io::signals::Signals;
use crate::run_dir::RunDir;

/// What a run is given beside its study.
#[derive(Debug)]
pub struct Options<'a> {
    /// Where tensors live.
    pub device: Device,
    /// The most CPU threads that it may use.
    pub threads: usize,
    /// The most replicas of a stack; `None` where it is to be found.
    pub stack: Option<usize>,
    /// How often checkpoints are written.
    pub pace: Pace,
    /// Where data sets are kept.
    pub cache: &'a Cache,
    /// What is asked of the run from outside.
    pub requests: &'a Signals,
}

impl Options<'_> {
    /// What is taken down of them: all that has a part in the outcome.
    pub fn record(&self) -> RunOptions {
        let Arithmetic { tf32, deterministic } = Arithmetic::in_use();
        let device = device::name(self.device);
        RunOptions { device, threads: self.threads, stack: self.stack, tf32, deterministic }
    }
}

/// What a run has left.
#[derive(Debug)]
pub struct Finished {
    /// Its folder.
    pub folder: RunDir,
    /// The history of each trial: variants in order, then folds, then seeds.
    pub histories: Vec<History>,
    /// Why other trials have failed.
    pub failures: Vec<anyhow::Error>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// The epoch of the checkpoint in its folder that it can be resumed from; of an interrupted run.
    pub checkpoint: Option<usize>,
}

/// Runs a study, in a new folder under `out`.
///
/// # Errors
/// When the data of its first trials cannot be had, or the folder not be written to. What fails later is told in
/// [`Finished`].
pub fn run(study: &Study, out: &Path, options: &Options, watch: &mut dyn Watch) -> anyhow::Result<Finished> {
    RunDir::check(out, &study.name)?;
    let started = OffsetDateTime::now_utc();
    let record = RunRecord::new(study, options.record(), started)?;
    let groups = grouping::groups(&study.plans);
    let mut before = None;
    let folds =
        prepared(&groups[0], &mut before, options, &mut Fetching { requests: options.requests, watch: &mut *watch })?;
    let resolved = study.spec.to_toml();
    let begun = record.to_json()?;
    let folder = RunDir::create(out, &study.name, &resolved, &[(run_record::FILE, begun.as_bytes())], started)?;
    update_latest(&folder);
    let ledger = RunState::new(&folder, record);
    let run = Run { study, folder: &folder, ledger: &ledger, options, started };
    let ended = run.train(&groups, before, Some(folds), None, watch)?;
    let checkpoint = ended.checkpoint;
    let (histories, failures, interrupted) = run.finish(ended)?;
    Ok(Finished { folder, histories, failures, interrupted, checkpoint })
}

/// Goes on with the run in this folder, from the checkpoint that was found there.
///
/// # Errors
/// When its checkpoint is of another run, or its data cannot be had or have changed.
pub fn resume(
    folder: RunDir,
    record: RunRecord,
    study: &Study,
    options: &Options,
    found: Option<Found>,
    watch: &mut dyn Watch,
) -> anyhow::Result<Finished> {
    let started = record.started()?;
    let groups = grouping::groups(&study.plans);
    let ledger = RunState::new(&folder, record);
    let run = Run { study, folder: &folder, ledger: &ledger, options, started };
    let ended = run.train(&groups, None, None, found, watch)?;
    let checkpoint = ended.checkpoint;
    let (histories, failures, interrupted) = run.finish(ended)?;
    Ok(Finished { folder, histories, failures, interrupted, checkpoint })
}

/// A run that goes on.
struct Run<'a> {
    study: &'a Study,
    folder: &'a RunDir,
    ledger: &'a RunState<'a>,
    options: &'a Options<'a>,
    started: OffsetDateTime,
}

impl Run<'_> {
    /// Trains what is left of all groups. `first` are the data of the first group where they are there already, `before`
    /// the rows that they were made of.
    fn train(
        &self,
        groups: &[Vec<&Plan>],
        mut before: Option<SourceRows>,
        mut first: Option<Vec<Fold>>,
        found: Option<Found>,
        watch: &mut dyn Watch,
    ) -> anyhow::Result<Ended> {
        let Options { device, threads, stack, pace, requests, .. } = *self.options;
        let (folder, ledger, started) = (self.folder, self.ledger, self.started);
        let found = RefCell::new(found);
        let checkpoint = Cell::new(None);
        let place = Place { folder, ledger, device, threads, stack, started, requests, pace, found, checkpoint };
        let shown = folder.path().display();
        requests.set_exit_message(format!("interrupted: continue with `runner resume {shown}`"));
        let (mut all, mut warned) = (Ended::default(), BTreeSet::new());
        for (number, group) in groups.iter().enumerate() {
            if requests.is_stopped() {
                all.is_over = true;
                break;
            }
            let plan = group[0];
            let folds = match first.take() {
                Some(folds) => folds,
                None => {
                    if ledger.is_done(number) {
                        let stacks = ledger.stacks(number);
                        // what can no longer be read is told when it is trained again
                        let read: Result<Vec<_>, String> = stacks.iter().map(|stack| ledger.histories(stack)).collect();
                        if let Ok(histories) = read {
                            all.histories.extend(histories.into_iter().flatten());
                            continue;
                        }
                    }
                    // before anything is trained a signal ends the program at once, and the run can be resumed
                    requests.training.store(!all.histories.is_empty(), Ordering::Relaxed);
                    match prepared(group, &mut before, self.options, &mut Fetching { requests, watch: &mut *watch }) {
                        Ok(folds) => folds,
                        Err(error) if all.histories.is_empty() => return Err(error),
                        Err(error) => {
                            all.failures.push(error);
                            continue;
                        }
                    }
                }
            };
            if requests.is_stopped() {
                all.is_over = true;
                break;
            }
            let warnings = before.as_ref().map(|source| unseen_classes::warnings(&folds, &source.loaded));
            for warning in warnings.into_iter().flatten() {
                if warned.insert(warning.clone()) {
                    watch.note(&warning);
                }
            }
            let data = &folds[0].1.sha256;
            ledger.check_data(number, plan.spec.data.name(), data)?;
            ledger.begin(number, data);
            self.store_preprocessing(group, &folds, before.as_ref())?;
            // from here on there is something to write when the run is stopped
            requests.training.store(true, Ordering::Relaxed);
            let ended = match &plan.model {
                Model::Network(_) => run_group(number, group, &folds, &place, &mut *watch)?,
                Model::Tree(tree) => tree::run(number, plan, tree, &folds, &place, &mut *watch)?,
            };
            all.histories.extend(ended.histories);
            all.failures.extend(ended.failures);
            if ended.is_over {
                all.is_over = true;
                break;
            }
        }
        all.checkpoint = place.checkpoint.get();
        Ok(all)
    }

    /// Writes what was fitted to the training rows, so that new rows can be predicted without the data.
    fn store_preprocessing(&self, group: &[&Plan], folds: &[Fold], source: Option<&SourceRows>) -> anyhow::Result<()> {
        let Some(SourceRows { loaded, .. }) = source else { return Ok(()) };
        let variants: Vec<String> = group.iter().map(|plan| plan.variant.clone()).collect();
        let plan = group[0];
        let fitted =
            |(fold, prepared): &Fold| (*fold, FittedData::new(plan.spec.data.name(), &plan.card, loaded, prepared));
        PreprocessingFile::add(self.folder, &variants, folds.iter().map(fitted).collect())
    }

    /// Holds all of it against what is expected, and writes it.
    fn finish(&self, ended: Ended) -> anyhow::Result<(Vec<History>, Vec<anyhow::Error>, bool)> {
        let (study, folder) = (self.study, self.folder);
        let Ended { mut histories, failures, .. } = ended;
        histories.sort_by_key(|history| {
            let variant = study.plans.iter().position(|plan| plan.variant == history.variant);
            let seed = study.spec.seeds.iter().position(|&seed| seed == history.seed);
            (variant, history.fold, seed)
        });
        let interrupted = self.options.requests.is_stopped() && ended.is_over;
        expectation::verify(&study.spec.expect, &mut histories);
        theirs::compare_with(&study.spec.theirs, &mut histories);
        let missing = folder.trouble().map(|trouble| trouble.missing).unwrap_or_default();
        for history in &histories {
            let name = format!("{}.json", history.stem());
            let has_more = !(history.expectations.is_empty() && history.theirs.is_empty());
            if has_more || missing.contains(&name) {
                folder.write(&name, history.to_json()?.as_bytes());
            }
        }
        let is_complete = folder.trouble().is_none_or(|trouble| !trouble.is_incomplete());
        if !interrupted && failures.is_empty() && is_complete {
            self.ledger.finish();
            update_latest(folder);
            let _ = std::fs::remove_file(folder.file(checkpointing::FILE)); // its stack is done: it would be passed over
        }
        self.options.requests.say_nothing_at_the_end();
        Ok((histories, failures, interrupted))
    }
}

/// Lets a signal end the program at once while data are fetched, which may take long.
struct Fetching<'a> {
    requests: &'a Signals,
    watch: &'a mut dyn Watch,
}

impl fetch::Watch for Fetching<'_> {
    fn doing(&mut self, what: &str) {
        self.requests.training.store(false, Ordering::Relaxed);
        self.watch.doing(what);
    }

    fn progress(&mut self, bytes: u64, of: Option<u64>) {
        self.watch.progress(bytes, of);
    }
}

/// Points `latest` beside a run's folder to the newest run that finished.
fn update_latest(folder: &RunDir) {
    folder.path().parent().into_iter().for_each(newest::update_latest);
}

/// The data of a group of plans. `before` are the rows of the group before it, and then those of this one.
fn prepared(
    group: &[&Plan],
    before: &mut Option<SourceRows>,
    options: &Options,
    watch: &mut dyn fetch::Watch,
) -> anyhow::Result<Vec<Fold>> {
    let spec = &group[0].spec;
    let prepared = guarded(|| -> anyhow::Result<_> {
        let source = SourceRows::load(spec, before.take(), options.cache, options.device, &mut *watch)?;
        before.insert(source).folds(spec, options.device)
    });
    let what = match group[0].variant.as_str() {
        BASE => "failed to prepare the data".to_owned(),
        variant => format!("failed to prepare the data of variant `{variant}`"),
    };
    match prepared {
        Ok(folds) => folds,
        Err(fault) => Err(error::told(fault, &what, Work::Data)),
    }
}

#[cfg(test)]
pub(in crate::experiment) mod tests;
