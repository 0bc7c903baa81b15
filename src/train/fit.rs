//! The training loop, for a whole stack at once.
//!
//! An epoch is trained in one of two ways (`way`): by autograd, step by step; or, for networks that need no more than
//! matrix products, without it, in [`crate::train::fused_cpu`]. Figures, schedules, early stopping and the best weights are the
//! same for both.
//!
//! Nothing inside an epoch waits for the device: losses and outputs stay there until the epoch is over, and come back
//! in one read.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::data::prepare::batches::{DeviceRows, Epoch};
use crate::history::Status;
use crate::history::curves::Curves;
use crate::network::layer::Layer;
use crate::network::stack::Stack;
use crate::tensor::threads;
use crate::train::TrainSpec;
use crate::train::backend::Way;
use crate::train::checkpoint::{Keeper, WholeEpoch};
use crate::train::evaluate::{Figures, Measure};
use crate::train::optimizer::Optimizer;
use crate::train::schedule::Length;
use crate::train::schedule::learning_rates::Course;
use crate::train::state::replica_state::Progress;
use crate::train::state::timing::Phases;

/// What training needs, all of it on the device.
#[derive(Debug)]
pub struct Task<'a> {
    /// The settings.
    pub settings: &'a TrainSpec,
    /// What is measured.
    pub measure: &'a Measure,
    /// The metric that tells the best epoch, and whether higher is better.
    pub monitor: (&'a str, bool),
    /// The seed of each replica.
    pub seeds: &'a [i64],
    /// The optimizer of each replica; they may differ in the learning rate and the weight decay, and in nothing else.
    pub optimizers: &'a [&'a Optimizer],
    /// The rows to train on.
    pub training: &'a DeviceRows,
    /// The rows that tell the best epoch.
    pub validation: Option<&'a DeviceRows>,
    /// The network's layers, for observers.
    pub layers: &'a [Layer],
    /// Where the stack is.
    pub device: Device,
    /// How many threads of the CPU may be used.
    pub threads: usize,
}

impl Task<'_> {
    /// Whether a higher value of this metric, of training or validation rows, is a better one.
    pub(super) fn higher_is_better(&self, name: &str) -> bool {
        let name = name.strip_prefix("val_").unwrap_or(name);
        self.measure.metrics.iter().any(|metric| metric.name() == name && metric.higher_is_better() == Some(true))
    }
}

/// Told of each epoch as it ends.
pub trait Watch {
    /// An epoch has ended.
    fn epoch(&mut self, report: &EpochReport);

    /// Something is done otherwise than was asked for or than it began.
    fn note(&mut self, _text: &str) {}

    /// Training has ended: where its time has gone.
    fn phases(&mut self, _phases: &Phases) {}
}

/// Says nothing.
impl Watch for () {
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// One epoch of every replica.
#[derive(Clone, Debug)]
pub struct EpochReport {
    /// Its number, from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Each metric's name and its value for each replica.
    pub metrics: Vec<(String, Vec<f64>)>,
    /// How long it took.
    pub seconds: f64,
    /// Which replicas had a part in it.
    pub trained: Vec<bool>,
    /// Which go on.
    pub training: Vec<bool>,
}

/// How the training of one replica went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Its metrics by epoch.
    pub curves: Curves,
    /// The epoch with the best monitored metric, from 1.
    pub best_epoch: Option<usize>,
}

/// Trains every replica of the stack; afterwards it holds the weights that the settings say to keep.
///
/// A replica that has ended before the others, early stopped or diverged, goes along in the stack, but nothing of it
/// is looked at any more, and its weights are put back at the end. Training ends when all have ended.
///
/// `stop` is looked at in each step: once set, the replicas that still train end as interrupted, with the epochs
/// that were completed. The keeper has the checkpoint that it goes on from, if any, and keeps others.
///
/// # Errors
/// When that checkpoint is of another training.
pub fn fit(
    stack: &Stack,
    task: &Task,
    stop: &AtomicBool,
    keeper: &mut dyn Keeper,
    watch: &mut dyn Watch,
) -> anyhow::Result<Vec<Outcome>> {
    let batch = task.settings.batch.size(task.training.len());
    let mut way = Way::of(stack, task, batch);
    let _restored = threads::libtorch_has(way.libtorch_threads(), task.threads);
    let outcomes = by_way(&mut way, stack, task, batch, stop, keeper, watch)?;
    watch.phases(way.phases());
    Ok(outcomes)
}

/// The epochs.
pub(super) fn by_way(
    way: &mut Way,
    stack: &Stack,
    task: &Task,
    batch: usize,
    stop: &AtomicBool,
    keeper: &mut dyn Keeper,
    watch: &mut dyn Watch,
) -> anyhow::Result<Vec<Outcome>> {
    let settings = task.settings;
    let decays: Vec<f64> = task.optimizers.iter().map(|optimizer| optimizer.weight_decay()).collect();
    let mut optimizer = settings.starting_optimizer().start_each(&decays, task.device);
    let mut course = start_course(task, batch);
    let mut progress = Progress::new(stack, task);
    let mut whole = WholeEpoch::start(stack);
    let mut clock = Clock { before: 0.0, started: Instant::now() };
    if let Some(checkpoint) = keeper.resumes_from() {
        checkpoint.restore(stack, &mut optimizer, &mut course, &mut progress)?;
        whole.take(checkpoint.state.epoch, stack, &optimizer);
        clock.before = checkpoint.state.seconds;
    }

    for number in whole.epoch() + 1..=settings.epochs {
        if !progress.goes_on() {
            break;
        }
        let started = Instant::now();
        let epoch = Epoch::draw(task.training, task.seeds, number, batch, settings.shuffle, task.device);
        let Some(seen) = way.train(&epoch, &mut optimizer, &mut course, number, progress.training(), stop) else {
            if whole.epoch() > 0 {
                let said = keeper.keep_last(&whole.checkpoint(&course, &progress, clock.seconds()));
                said.iter().for_each(|said| watch.note(said));
            }
            return Ok(progress.end(stack, Status::Interrupted, &whole));
        };
        let figures = Instant::now();
        let training = seen.figures(&epoch, task, stack, way);
        let validation = task.validation.map(|rows| way.of_validation(rows, progress.training()));
        let (metrics, finite) = read(training, validation, stack); // the epoch's one read from the device
        way.phases().figures += figures.elapsed().as_secs_f64();
        course.observe(number, &metrics);
        progress.record(stack, number, metrics, &finite, course.lrs(), started.elapsed().as_secs_f64(), watch);
        whole.take(number, stack, &optimizer);
        if number < settings.epochs && progress.goes_on() && keeper.is_due(number) {
            let said = keeper.keep(&whole.checkpoint(&course, &progress, clock.seconds()));
            said.iter().for_each(|said| watch.note(said));
        }
    }
    Ok(progress.end(stack, Status::Completed, &whole))
}

/// How long training takes, from its first beginning.
struct Clock {
    before: f64,
    started: Instant,
}

impl Clock {
    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }
}

/// The learning rates, before the first step.
fn start_course(task: &Task, batch: usize) -> Course {
    let settings = task.settings;
    let length = Length { epochs: settings.epochs, steps: task.training.len().div_ceil(batch) };
    let lrs = task.optimizers.iter().map(|optimizer| optimizer.lr()).collect();
    Course::new(&settings.schedule, lrs, length, task.device, task.monitor.0, |name| task.higher_is_better(name))
}

/// Brings an epoch's figures back from the device, all in one read: each name with a value for each replica, and
/// whether each replica's weights are finite.
fn read(training: Figures, validation: Option<Figures>, stack: &Stack) -> (Vec<(String, Vec<f64>)>, Vec<bool>) {
    let validation = validation.into_iter().flatten().map(|(name, figure)| (format!("val_{name}"), figure));
    let (names, mut figures): (Vec<_>, Vec<_>) = training.into_iter().chain(validation).unzip();
    figures.push(stack.arena().values().isfinite().all_dim(1, false).to_kind(Kind::Double));
    let values = Tensor::stack(&figures, 0).to_device(Device::Cpu); // [figures, replicas]
    let mut values = Vec::<Vec<f64>>::try_from(&values).expect("figures are f64");
    let finite = values.pop().expect("just pushed").iter().map(|&finite| finite == 1.0).collect();
    (names.into_iter().zip(values).collect(), finite)
}
