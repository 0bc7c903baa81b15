//! Runs a study: loads the data, trains the trials of every plan, writes the results, and checks the expectations.
//!
//! The run directory is created before training starts, so that a directory that is not writable is found before
//! anything is lost. Each history is written as soon as its stack has ended. An interrupted or killed run is resumed
//! from its record: finished trials are read, the interrupted stack continues from its checkpoint, and the rest is
//! trained as it would have been.

pub mod leased;
pub(in crate::experiment) mod loading;
pub mod options;
pub mod parts;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;

use time::OffsetDateTime;

use crate::data::prepare::fitted_data::FittedData;
use crate::experiment::plan::module_copies;
use crate::experiment::plan::study::Study;
use crate::experiment::plan::{Model, Plan};
use crate::experiment::run::checkpointing::{self, RunCheckpoint};
use crate::experiment::run::context::RunContext;
use crate::experiment::run::progress::{RecordedProgress, RunProgress};
use crate::experiment::run::run_study::loading::{LoadedData, load_group};
use crate::experiment::run::run_study::options::Options;
use crate::experiment::run::scheduler::{TrialResults, run_group};
use crate::experiment::run::source_rows::{Fold, SourceRows};
use crate::experiment::run::{data_notes, grouping, tree};
use crate::experiment::run_options::RunOptions;
use crate::experiment::store::preprocessing_file::PreprocessingFile;
use crate::experiment::store::run_record::{self, RunRecord};
use crate::experiment::store::run_state::RunState;
use crate::experiment::store::{about, newest};
use crate::history::{History, expectation, reference};
use crate::run_dir::{RunDir, live_tail};

/// Result of a run.
#[derive(Debug)]
pub struct Finished {
    /// The run directory.
    pub folder: RunDir,
    /// Histories of all trials: variants in order, then folds, then seeds.
    pub histories: Vec<History>,
    /// Errors of failed trials.
    pub failures: Vec<anyhow::Error>,
    /// Whether a signal interrupted the run.
    pub interrupted: bool,
    /// Whether the time limit stopped the run before its last epoch.
    pub timed_out: bool,
    /// Epoch of the checkpoint that an unfinished run can be resumed from.
    pub checkpoint: Option<usize>,
}

/// Runs a study in a new run directory under `out`.
///
/// # Errors
/// When the data of its first trials cannot be loaded, or the directory cannot be written to. Later errors are in
/// [`Finished`].
pub fn run(study: &Study, out: &Path, options: &Options, watch: &mut dyn RunProgress) -> anyhow::Result<Finished> {
    let mut loaded = LoadedData::default();
    let (folder, record) = start(study, out, options, &mut loaded, &mut *watch)?;
    train_study(folder, record, study, options, &mut loaded, None, watch)
}

/// Loads the data of the first trials of a study, and creates its run directory under `out`.
///
/// # Errors
/// When the data cannot be loaded, or the directory cannot be written to.
pub fn start(
    study: &Study,
    out: &Path,
    options: &Options,
    loaded: &mut LoadedData,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<(RunDir, RunRecord)> {
    RunDir::check(out, &study.name)?;
    let started = OffsetDateTime::now_utc();
    let first = &grouping::groups(&study.plans)[0];
    loaded.first = Some(load_group(study, first, &mut loaded.source, options, &mut *watch)?);
    create(study, out, options.record(), started)
}

/// Creates the run directory of a study under `out`, from which the run can be resumed.
///
/// # Errors
/// When the directory cannot be written to.
pub fn create(
    study: &Study,
    out: &Path,
    options: RunOptions,
    started: OffsetDateTime,
) -> anyhow::Result<(RunDir, RunRecord)> {
    RunDir::check(out, &study.name)?;
    let record = RunRecord::new(study, options, started)?;
    let resolved = study.spec.to_toml();
    let folder = RunDir::create(out, &study.name, &resolved, &first_files(&record, study)?, started)?;
    update_latest(&folder);
    Ok((folder, record))
}

/// Returns the first files of a run directory besides the resolved experiment, by name: the run record, name and tags,
/// and copies of modules.
pub(in crate::experiment) fn first_files(record: &RunRecord, study: &Study) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = module_copies::read(study)?;
    if !study.about.is_empty() {
        files.push((about::FILE.to_owned(), study.about.to_json()?.into_bytes()));
    }
    files.push((run_record::FILE.to_owned(), record.to_json()?.into_bytes())); // last: a run with it can be resumed
    Ok(files)
}

/// Resumes the run in this directory from its checkpoint.
///
/// # Errors
/// When the checkpoint is of another run, or the data cannot be loaded or have changed.
pub fn resume(
    folder: RunDir,
    record: RunRecord,
    study: &Study,
    options: &Options,
    checkpoint: Option<RunCheckpoint>,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Finished> {
    train_study(folder, record, study, options, &mut LoadedData::default(), checkpoint, watch)
}

/// Trains the unfinished trials of a study, checks the expectations and stores the results.
fn train_study(
    folder: RunDir,
    record: RunRecord,
    study: &Study,
    options: &Options,
    loaded: &mut LoadedData,
    checkpoint: Option<RunCheckpoint>,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Finished> {
    let started = record.started()?;
    let run_state = RunState::new(&folder, record.on_this_machine());
    let run = Run { study, folder: &folder, run_state: &run_state, options, started };
    let results = run.train(loaded, checkpoint, &mut RecordedProgress::new(&folder, study, options.events, watch))?;
    run.verify_and_store(results)
}

/// A run in progress.
#[derive(Debug)]
pub struct Run<'a> {
    /// The study.
    pub study: &'a Study,
    /// The run directory.
    pub folder: &'a RunDir,
    /// The run record.
    pub run_state: &'a RunState<'a>,
    /// The options of the run.
    pub options: &'a Options<'a>,
    /// Start time of the run.
    pub started: OffsetDateTime,
}

impl Run<'_> {
    /// Trains the unfinished trials of all groups.
    fn train(
        &self,
        loaded: &mut LoadedData,
        checkpoint: Option<RunCheckpoint>,
        watch: &mut dyn RunProgress,
    ) -> anyhow::Result<TrialResults> {
        let LoadedData { source, first, is_unavailable } = loaded;
        let Run { folder, run_state, options, started, .. } = *self;
        let signals = options.signals;
        let (resume_from, last_checkpoint) = (RefCell::new(checkpoint), Cell::new(None));
        let context = RunContext { folder, run_state, options, started, resume_from, last_checkpoint };
        if !folder.is_leased() {
            let shown = folder.path().display();
            signals.set_exit_message(format!("interrupted: continue with `runner resume {shown}`"));
        }
        let (mut all, mut reported) = (TrialResults::default(), BTreeSet::new());
        for (number, group) in run_state.groups_of(&self.study.plans).iter().enumerate() {
            if signals.is_stopped() {
                all.is_over = true;
                break;
            }
            if first.is_none()
                && let Some(histories) = self.finished_histories(number)
            {
                all.histories.extend(histories);
                continue;
            }
            let folds = match first.take() {
                Some(folds) => folds,
                None => {
                    // while no trial has ended, a signal ends the program at once: the run can be resumed without loss
                    signals.training.store(!all.histories.is_empty(), Ordering::Relaxed);
                    let folds = load_group(self.study, group, source, self.options, &mut *watch);
                    *is_unavailable |= folds.is_err() && source.is_none();
                    match folds {
                        Ok(folds) => folds,
                        Err(error) if all.histories.is_empty() => return Err(error),
                        Err(error) => {
                            all.failures.push(error);
                            continue;
                        }
                    }
                }
            };
            if signals.is_stopped() {
                all.is_over = true;
                break;
            }
            self.begin_group(number, group, &folds, source.as_ref(), &mut reported, &mut *watch)?;
            // from now on an interrupted run has something to save
            signals.training.store(true, Ordering::Relaxed);
            let results = match &group[0].model {
                Model::Network(_) => run_group(number, group, &folds, &context, &mut *watch)?,
                Model::Tree(tree) => tree::run(number, group[0], tree, &folds, &context, &mut *watch)?,
            };
            all.histories.extend(results.histories);
            all.failures.extend(results.failures);
            if results.is_over {
                all.is_over = true;
                break;
            }
        }
        all.checkpoint = context.last_checkpoint.get();
        Ok(all)
    }

    /// Reads the histories of a group whose trials are all done; `None` if there is something to train.
    fn finished_histories(&self, group: usize) -> Option<Vec<History>> {
        if !self.run_state.is_done(group) {
            return None;
        }
        let stacks = self.run_state.stacks(group);
        // unreadable histories are reported when their stack is trained again
        let read: Result<Vec<_>, String> = stacks.iter().map(|stack| self.run_state.histories(stack)).collect();
        Some(read.ok()?.into_iter().flatten().collect())
    }

    /// Reports the data of a group, compares them with the record of the run, and writes their preprocessing. `reported` are the
    /// notes that were reported before.
    fn begin_group(
        &self,
        number: usize,
        group: &[&Plan],
        folds: &[Fold],
        source: Option<&SourceRows>,
        reported: &mut BTreeSet<String>,
        watch: &mut dyn RunProgress,
    ) -> anyhow::Result<()> {
        if let Some(source) = source {
            data_notes::report(source, folds, reported, &mut *watch);
        }
        let plan = group[0];
        let (data, checksum) = (&plan.spec.data, &folds[0].1.sha256);
        watch.loaded(data, checksum)?;
        self.run_state.record().check_data(number, data.name(), checksum)?;
        self.run_state.start_group(number, checksum);
        // the fitted preprocessing is written, so that new rows can be predicted without the training data
        let Some(SourceRows { loaded, .. }) = source else { return Ok(()) };
        let variants: Vec<String> = group.iter().map(|plan| plan.variant.clone()).collect();
        let fitted =
            |(fold, prepared): &Fold| (*fold, FittedData::new(plan.spec.data.name(), &plan.info, loaded, prepared));
        PreprocessingFile::add(self.folder, &variants, folds.iter().map(fitted).collect())
    }

    /// Checks the expectations, writes the final histories and marks the run as finished. If its time was over, the
    /// expectations, which are about the whole run, are not checked.
    fn verify_and_store(&self, results: TrialResults) -> anyhow::Result<Finished> {
        let (study, folder) = (self.study, self.folder);
        let TrialResults { mut histories, failures, is_over, checkpoint } = results;
        histories.sort_by_key(|history| {
            let variant = study.plans.iter().position(|plan| plan.variant == history.variant);
            let seed = study.spec.seeds.iter().position(|&seed| seed == history.seed);
            (variant, history.fold, seed)
        });
        let is_stopped = self.options.signals.is_stopped() && is_over;
        let timed_out = is_stopped && self.options.signals.has_timed_out();
        if !timed_out {
            expectation::verify(&study.spec.expect, &mut histories);
            reference::compare_with_references(&study.spec.theirs, &mut histories);
        }
        let missing = folder.write_errors().map(|write_errors| write_errors.missing).unwrap_or_default();
        for history in &histories {
            let name = format!("{}.json", history.stem());
            let has_comparisons = !(history.expectations.is_empty() && history.theirs.is_empty());
            if has_comparisons || missing.contains(&name) {
                folder.write(&name, history.to_json()?.as_bytes());
            }
        }
        let is_complete = folder.write_errors().is_none_or(|write_errors| !write_errors.is_incomplete());
        if !is_stopped && failures.is_empty() && is_complete {
            self.run_state.mark_finished();
            update_latest(folder);
            [checkpointing::FILE, live_tail::FILE].iter().for_each(|name| folder.remove(name));
        }
        if !folder.is_leased() {
            self.options.signals.clear_exit_message();
        }
        let (folder, interrupted) = (folder.clone(), is_stopped && !timed_out);
        Ok(Finished { folder, histories, failures, interrupted, timed_out, checkpoint })
    }
}

/// Points the link `latest` next to a run directory to the newest finished run. The stacks of a sweep have no such link.
fn update_latest(folder: &RunDir) {
    if newest::is_stamped(folder.path()) {
        folder.path().parent().into_iter().for_each(newest::update_latest);
    }
}
