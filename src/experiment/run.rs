//! Running a study: load, train every plan's trials, write, and hold all of it against what is expected.
//!
//! The run's folder is made before training starts, so that a folder that cannot be written to is found while nothing
//! is lost yet; each history is written as soon as its stack has ended.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use tch::Device;
use time::OffsetDateTime;

use crate::data::cache::Cache;
use crate::data::fetch;
use crate::device::fault::guarded;
use crate::experiment::failure;
use crate::experiment::plan::{Model, Plan};
use crate::experiment::source_rows::SourceRows;
use crate::experiment::stacking;
use crate::experiment::study::Study;
use crate::experiment::tree_trials;
use crate::experiment::trials::{Place, run_group};
use crate::files;
use crate::history::resampling::ResampleRecord;
use crate::history::{History, RowCounts, Status, expectation, theirs};
use crate::run_dir::RunDir;
use crate::train::fit;

/// What a run is given beside its study.
#[derive(Debug)]
pub struct Options<'a> {
    /// Where tensors live.
    pub device: Device,
    /// The most CPU threads that it may use.
    pub threads: usize,
    /// The most replicas of a stack; `None` where it is to be found.
    pub stack: Option<usize>,
    /// The folder that runs are put in.
    pub out: &'a Path,
    /// Where data sets are kept.
    pub cache: &'a Cache,
    /// Set when the run is to end early.
    pub stop: &'a AtomicBool,
}

/// Told what a run is doing.
pub trait Watch: fetch::Watch + fit::Watch {
    /// A stack of trials starts; its plans, one or more, are variants of one experiment.
    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo);

    /// Something is done otherwise than was asked for or than it began.
    fn note(&mut self, text: &str);
}

/// A stack of trials that train in step.
#[derive(Clone, Debug)]
pub struct StackInfo {
    /// How many replicas it has.
    pub replicas: usize,
    /// The seeds in it, each once.
    pub seeds: Vec<i64>,
    /// How many folds are in it; `None` without cross-validation.
    pub folds: Option<usize>,
    /// How many rows each has.
    pub rows: RowCounts,
    /// How rows were resampled, where they were.
    pub resampled: Option<ResampleRecord>,
    /// Where it is.
    pub device: Device,
    /// How many CPU threads it uses.
    pub threads: usize,
}

/// What a run has left.
#[derive(Debug)]
pub struct Finished {
    /// Its folder.
    pub folder: RunDir,
    /// The history of each trial: variants in order, then folds, then seeds.
    pub histories: Vec<History>,
}

/// Runs a study.
///
/// # Errors
/// When the data cannot be had, or the folder not be written to.
pub fn run(study: &Study, options: &Options, watch: &mut dyn Watch) -> anyhow::Result<Finished> {
    RunDir::check(options.out, &study.name)?;
    let started = OffsetDateTime::now_utc();
    let mut folder = None;
    let mut histories = Vec::with_capacity(study.trials());
    let mut before: Option<SourceRows> = None;
    for group in stacking::groups(&study.plans) {
        let spec = &group[0].spec;
        let prepared = guarded(|| -> anyhow::Result<_> {
            let source = SourceRows::load(spec, before.take(), options.cache, options.device, &mut *watch)?;
            before.insert(source).folds(spec, options.device)
        });
        let folds = prepared.map_err(|fault| failure::told(fault, "failed to prepare the data", None))??;
        let folder = match &folder {
            Some(folder) => folder,
            None => folder.insert(create_folder(study, options, started)?),
        };
        let place = Place { folder, device: options.device, threads: options.threads, stack: options.stack, started };
        histories.extend(match &group[0].model {
            Model::Network(_) => run_group(&group, &folds, &place, options.stop, &mut *watch)?,
            Model::Tree(tree) => tree_trials::run(group[0], tree, &folds, &place, options.stop, &mut *watch)?,
        });
        if histories.iter().any(|history: &History| history.status == Status::Interrupted) {
            break;
        }
    }
    let folder = folder.expect("a study has a plan");
    histories.sort_by_key(|history| study.plans.iter().position(|plan| plan.variant == history.variant));
    expectation::verify(&study.spec.expect, &mut histories);
    theirs::lay_beside(&study.spec.theirs, &mut histories);
    for history in histories.iter().filter(|history| !(history.expectations.is_empty() && history.theirs.is_empty())) {
        history.write(&folder.file(&format!("{}.json", history.stem())))?;
    }
    Ok(Finished { folder, histories })
}

fn create_folder(study: &Study, options: &Options, started: OffsetDateTime) -> anyhow::Result<RunDir> {
    let resolved = study.spec.to_toml();
    let folder = RunDir::create(options.out, &study.name, &resolved, started)?;
    files::write_whole(&folder.file("experiment.toml"), resolved.as_bytes())?;
    Ok(folder)
}
