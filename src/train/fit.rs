//! The training loop of a stack.
//!
//! An epoch is trained by one of two backends (`backend`): autograd, or the fused CPU backend for linear layers and
//! activations ([`crate::train::fused_cpu`]). Metrics, schedules, early stopping and the best weights are the same for
//! both.
//!
//! Nothing within an epoch waits for the device: losses and outputs stay there until the end of the epoch and are read
//! once.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tch::{Device, Kind, Tensor};

use crate::data::prepare::batches::Epoch;
use crate::history::Status;
use crate::network::stack::Stack;
use crate::tensor::{generators, threads};
use crate::train::backend::Backend;
use crate::train::callback::{Callback, ReplicaResult};
use crate::train::checkpoint::epoch_snapshot::EpochSnapshot;
use crate::train::checkpoint::{Checkpoint, Checkpointer};
use crate::train::evaluate::MetricTensors;
use crate::train::optimizer::update::Update;
use crate::train::schedule::learning_rates::LearningRates;
use crate::train::schedule::step_position::Length;
use crate::train::state::replica_state::ReplicaStates;
use crate::train::task::Task;

/// Trains every replica of the stack, which then has the weights chosen by `keep`.
///
/// A replica that stops early or diverges stays in the stack until all have ended, but is no longer recorded. Its
/// weights are restored at the end.
///
/// `stop` is read in each step. Once it is set, replicas that are still training get the status interrupted and
/// keep their last completed epoch. The checkpointer provides the checkpoint to resume from, if any, and saves others.
///
/// # Errors
/// When that checkpoint is from a different stack or run.
pub fn fit(
    stack: &Stack,
    task: &Task,
    stop: &AtomicBool,
    checkpointer: &mut dyn Checkpointer,
    callback: &mut dyn Callback,
) -> anyhow::Result<Vec<ReplicaResult>> {
    Ok(fit_until(stack, task, task.settings.epochs, stop, checkpointer, callback)?.results)
}

/// Result of training up to an epoch.
#[derive(Debug)]
pub struct Fitted {
    /// Result of each replica. One that could train more epochs has the status dropped: it ends here, unless it continues
    /// from `paused`.
    pub results: Vec<ReplicaResult>,
    /// The state from which training continues, if it has more epochs and a replica still trains.
    pub paused: Option<Checkpoint>,
}

/// Trains like [`fit`], but at most up to the end of the epoch `until`.
///
/// # Errors
/// As for [`fit`].
pub fn fit_until(
    stack: &Stack,
    task: &Task,
    until: usize,
    stop: &AtomicBool,
    checkpointer: &mut dyn Checkpointer,
    callback: &mut dyn Callback,
) -> anyhow::Result<Fitted> {
    let batch = task.settings.batch.size(task.training.len());
    let mut backend = Backend::new(stack, task, batch);
    let _restored = threads::set_libtorch_until_drop(backend.libtorch_threads(), task.threads);
    let fitted = run_epochs(&mut backend, stack, task, batch, until, stop, checkpointer, callback)?;
    callback.phases(backend.timing());
    Ok(fitted)
}

/// Trains the epochs.
#[expect(clippy::too_many_arguments, reason = "all that training needs")]
pub(super) fn run_epochs(
    backend: &mut Backend,
    stack: &Stack,
    task: &Task,
    batch: usize,
    until: usize,
    stop: &AtomicBool,
    checkpointer: &mut dyn Checkpointer,
    callback: &mut dyn Callback,
) -> anyhow::Result<Fitted> {
    let settings = task.settings;
    let _generators = generators::install_until_drop(task.seeds.len(), task.device);
    let optimizers = task.replicas.iter().map(|settings| settings.starting_optimizer()).collect();
    let mut optimizer = Update::new(optimizers, task.device);
    let mut learning_rates = initial_learning_rates(task, batch);
    let mut replica_states = ReplicaStates::new(stack, task);
    let mut snapshot = EpochSnapshot::start(stack);
    let counter = callback.epoch_counter();
    let (mut seconds_before, began) = (0.0, Instant::now());
    if let Some(checkpoint) = checkpointer.resume_from() {
        checkpoint.restore(stack, &mut optimizer, &mut learning_rates, &mut replica_states)?;
        snapshot.take(checkpoint.state.epoch, stack, &optimizer);
        seconds_before = checkpoint.state.seconds;
    }
    let seconds = || seconds_before + began.elapsed().as_secs_f64(); // with the part before a resumed checkpoint

    for number in snapshot.epoch() + 1..=until.min(settings.epochs) {
        if !replica_states.is_training() {
            break;
        }
        let started = Instant::now();
        counter.set((number - 1) as f64);
        let epoch = Epoch::draw(task.training, task.seeds, number, batch, settings.shuffle, task.device);
        let Some(outputs) = backend.train(
            &epoch,
            &mut optimizer,
            &mut learning_rates,
            number,
            replica_states.training(),
            stop,
            &counter,
        ) else {
            if snapshot.epoch() > 0 {
                let warning = checkpointer.keep_last(&snapshot.checkpoint(&learning_rates, &replica_states, seconds()));
                warning.iter().for_each(|warning| callback.note(warning));
            }
            let results = replica_states
                .end(stack, Status::Interrupted, |replica| snapshot.restore_replica(replica, stack.arena()));
            return Ok(Fitted { results, paused: None });
        };
        let metrics_started = Instant::now();
        let training = outputs.metrics(|outputs| backend.metrics(outputs, &epoch.truth), task, stack);
        let validation = task.validation.map(|rows| backend.validate(rows, replica_states.training()));
        let (metrics, finite) = read(training, validation, stack); // the only read from the device in an epoch
        backend.timing().metrics += metrics_started.elapsed().as_secs_f64();
        learning_rates.observe(number, &metrics);
        replica_states.record(
            stack,
            number,
            metrics,
            &finite,
            learning_rates.lrs(),
            started.elapsed().as_secs_f64(),
            callback,
        );
        snapshot.take(number, stack, &optimizer);
        if number < settings.epochs && replica_states.is_training() && checkpointer.is_due(number) {
            let warning = checkpointer.keep(&snapshot.checkpoint(&learning_rates, &replica_states, seconds()));
            warning.iter().for_each(|warning| callback.note(warning));
        }
    }
    let last = || snapshot.checkpoint(&learning_rates, &replica_states, seconds());
    let (paused, status) = match until < settings.epochs && replica_states.is_training() {
        true => (Some(last()), Status::Dropped),
        false => (None, Status::Completed),
    };
    if paused.is_none() && snapshot.epoch() > 0 {
        checkpointer.keep_final(&last()).iter().for_each(|warning| callback.note(warning));
    }
    let results = replica_states.end(stack, status, |replica| snapshot.restore_replica(replica, stack.arena()));
    Ok(Fitted { results, paused })
}

/// Returns the learning rates before the first step.
fn initial_learning_rates(task: &Task, batch: usize) -> LearningRates {
    let length = Length { epochs: task.settings.epochs, steps: task.training.len().div_ceil(batch) };
    let schedules = task.replicas.iter().map(|settings| settings.schedule.clone()).collect();
    let lrs = task.replicas.iter().map(|settings| settings.optimizer.lr()).collect();
    LearningRates::new(schedules, lrs, length, task.device, task.monitor.0, |name| task.higher_is_better(name))
}

/// Reads an epoch's metrics from the device, in one transfer. Returns each name with a value for each replica, and for
/// each replica whether its weights are finite.
fn read(
    training: MetricTensors,
    validation: Option<MetricTensors>,
    stack: &Stack,
) -> (Vec<(String, Vec<f64>)>, Vec<bool>) {
    let validation = validation.into_iter().flatten().map(|(name, metric)| (format!("val_{name}"), metric));
    let (names, mut metrics): (Vec<_>, Vec<_>) = training.into_iter().chain(validation).unzip();
    metrics.push(stack.arena().values().isfinite().all_dim(1, false).to_kind(Kind::Double));
    let values = Tensor::stack(&metrics, 0).to_device(Device::Cpu); // [metrics, replicas]
    let mut values = Vec::<Vec<f64>>::try_from(&values).expect("metrics are f64");
    let finite = values.pop().expect("just pushed").iter().map(|&finite| finite == 1.0).collect();
    (names.into_iter().zip(values).collect(), finite)
}
