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

use tch::{Device, Kind, Tensor};

use crate::data::prepare::batches::Epoch;
use crate::history::Status;
use crate::network::stack::Stack;
use crate::tensor::threads;
use crate::train::backend::Backend;
use crate::train::checkpoint::Keeper;
use crate::train::checkpoint::epoch_snapshot::EpochSnapshot;
use crate::train::evaluate::Figures;
use crate::train::report::{Outcome, Watch};
use crate::train::schedule::learning_rates::LearningRates;
use crate::train::schedule::place::Length;
use crate::train::state::replica_state::Progress;
use crate::train::task::Task;

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
    let mut way = Backend::of(stack, task, batch);
    let _restored = threads::libtorch_has(way.libtorch_threads(), task.threads);
    let outcomes = by_way(&mut way, stack, task, batch, stop, keeper, watch)?;
    watch.phases(way.phases());
    Ok(outcomes)
}

/// The epochs.
pub(super) fn by_way(
    way: &mut Backend,
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
    let mut whole = EpochSnapshot::start(stack);
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
            return Ok(progress.end(stack, Status::Interrupted, |replica| whole.put_back(replica, stack.arena())));
        };
        let figures = Instant::now();
        let training = seen.figures(|outputs| way.metrics(outputs, &epoch.truth), task, stack);
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
    Ok(progress.end(stack, Status::Completed, |replica| whole.put_back(replica, stack.arena())))
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
fn start_course(task: &Task, batch: usize) -> LearningRates {
    let settings = task.settings;
    let length = Length { epochs: settings.epochs, steps: task.training.len().div_ceil(batch) };
    let lrs = task.optimizers.iter().map(|optimizer| optimizer.lr()).collect();
    LearningRates::new(&settings.schedule, lrs, length, task.device, task.monitor.0, |name| task.higher_is_better(name))
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
