//! Trains an epoch with one of two backends: autograd, for any network, or the fused CPU backend, for linear layers and
//! activations.

use std::sync::atomic::{AtomicBool, Ordering};

use tch::Tensor;
use tch::nn::ModuleT;

use crate::data::prepare::batches::{DeviceRows, Epoch};
use crate::device::compute_mode;
use crate::network::stack::Stack;
use crate::train::evaluate::{MetricTensors, evaluate, losses};
use crate::train::fused_cpu::epoch::FusedCpu;
use crate::train::fused_cpu::plan::Plan;
use crate::train::optimizer::update::Update;
use crate::train::regularize::clip::Clip;
use crate::train::regularize::penalty::Penalty;
use crate::train::schedule::learning_rates::{LearningRates, StepSettings};
use crate::train::state::epoch_counter::EpochCounter;
use crate::train::state::epoch_outputs::{EpochOutputs, Steps};
use crate::train::state::timing::{Stopwatch, Timing};
use crate::train::task::Task;

/// Floating-point operations of a step below which one libtorch thread is faster than several.
const MIN_WORK_FOR_THREADS: usize = 8_000_000;

/// Computation of the gradients.
pub(crate) enum Backend<'a> {
    /// libtorch's autograd: any network.
    Autograd { stack: &'a Stack, task: &'a Task<'a>, threads: usize, timing: Timing },
    /// The fused CPU backend: linear layers and activations on the CPU.
    FusedCpu { fused: Box<FusedCpu>, values: Tensor, task: &'a Task<'a> },
}

impl<'a> Backend<'a> {
    pub(super) fn new(stack: &'a Stack, task: &'a Task, batch: usize) -> Self {
        let forces_autograd = std::env::var_os("RUNNER_AUTOGRAD").is_some_and(|value| value == "1");
        match Plan::from_task(stack, task).filter(|_| !forces_autograd && !compute_mode::is_bf16()) {
            Some(plan) => {
                let fused = FusedCpu::new(plan, stack, task.training, task.validation, batch, task.threads);
                Backend::FusedCpu { fused: Box::new(fused), values: stack.arena().values().shallow_clone(), task }
            }
            None => Backend::autograd(stack, task, batch),
        }
    }

    pub(super) fn autograd(stack: &'a Stack, task: &'a Task, batch: usize) -> Self {
        // Only the sizes of the layers are known here. A layer that reuses its weights has work for all threads.
        let operations = 6 * stack.arena().values().numel() * batch;
        let reuses_weights = task.layers.iter().any(|layer| layer.spec().reuses_weights());
        let is_small = !reuses_weights && operations < MIN_WORK_FOR_THREADS;
        Backend::Autograd { stack, task, threads: if is_small { 1 } else { task.threads }, timing: Timing::default() }
    }

    /// Returns the number of threads for libtorch's own operations: 1 if the fused CPU backend distributes the work
    /// itself.
    pub(super) fn libtorch_threads(&self) -> usize {
        match self {
            Backend::Autograd { threads, .. } => *threads,
            Backend::FusedCpu { .. } => 1,
        }
    }

    /// Returns the time spent in each phase so far.
    pub(super) fn timing(&mut self) -> &mut Timing {
        match self {
            Backend::Autograd { timing, .. } => timing,
            Backend::FusedCpu { fused, .. } => fused.timing(),
        }
    }

    /// Trains one epoch, and advances the counter in each step. Returns `None` if `stop` was set before its last step.
    #[expect(clippy::too_many_arguments, reason = "all that an epoch needs")]
    pub(super) fn train(
        &mut self,
        epoch: &Epoch,
        optimizer: &mut Update,
        learning_rates: &mut LearningRates,
        number: usize,
        training: &[bool],
        stop: &AtomicBool,
        counter: &EpochCounter,
    ) -> Option<EpochOutputs> {
        match self {
            Backend::Autograd { stack, task, timing, .. } => {
                train_with_autograd(stack, task, epoch, optimizer, learning_rates, number, stop, counter, timing)
            }
            Backend::FusedCpu { fused, values, .. } => {
                let steps: Vec<StepSettings> =
                    (0..epoch.batches().count()).map(|step| learning_rates.step(number, step)).collect();
                let (loss, outputs) = fused.train(epoch, optimizer, values, &steps, training, stop, counter)?;
                Some(EpochOutputs { loss, outputs, gradients: Vec::new() })
            }
        }
    }

    /// Returns loss and metrics of the validation rows, one value for each replica.
    pub(super) fn validate(&mut self, rows: &DeviceRows, training: &[bool]) -> MetricTensors {
        match self {
            Backend::Autograd { stack, task, .. } => evaluate(stack, rows, task.measure),
            Backend::FusedCpu { fused, task, .. } => {
                let _no_grad = tch::no_grad_guard();
                let outputs = fused.validate(rows, training);
                let truth = rows.of_each_replica(&rows.truth, training.len());
                let mut metrics = vec![("loss".to_owned(), losses(&outputs, rows, task.measure))];
                metrics.extend(fused.metrics(task.measure, &outputs, &truth));
                metrics
            }
        }
    }

    /// Returns the metrics of each replica: `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows, …]`.
    pub(super) fn metrics(&self, outputs: &Tensor, truth: &Tensor) -> MetricTensors {
        match self {
            Backend::Autograd { task, .. } => task.measure.metrics(outputs, truth),
            Backend::FusedCpu { fused, task, .. } => fused.metrics(task.measure, outputs, truth),
        }
    }
}

/// Trains one epoch: gather → forward → loss → backward → observe → penalty, clip → step. Returns `None` if `stop` was
/// set.
#[expect(clippy::too_many_arguments, reason = "all that a step needs")]
fn train_with_autograd(
    stack: &Stack,
    task: &Task,
    epoch: &Epoch,
    optimizer: &mut Update,
    learning_rates: &mut LearningRates,
    number: usize,
    stop: &AtomicBool,
    counter: &EpochCounter,
    timing: &mut Timing,
) -> Option<EpochOutputs> {
    let settings = task.settings;
    let penalties: Vec<Penalty> = task.replicas.iter().map(|settings| settings.penalty.unwrap_or_default()).collect();
    let penalty = Penalty::on(&penalties, stack.arena());
    let clips: Option<Vec<Clip>> = task.replicas.iter().map(|settings| settings.clip).collect();
    let clip = clips.map(|clips| Clip::on(&clips, task.device));
    let mut steps = Steps::default();
    let part = 1.0 / epoch.batches().count() as f64;
    for (step, rows) in epoch.batches().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let mut stopwatch = Stopwatch::new();
        let features = epoch.features(&rows); // [replicas, batch, …]
        let features = settings.augment.map_or(features.shallow_clone(), |augment| augment.apply(&features));
        stopwatch.add_lap_to(&mut timing.gather);
        let outputs = stack.forward_t(&features, true); // [replicas, batch, outputs]
        stopwatch.add_lap_to(&mut timing.forward);
        let weights = epoch.weights(&rows);
        let losses = task.measure.loss.of_each_replica(&outputs, &epoch.targets(&rows), weights.as_ref()); // [replicas]
        let mut gradient = stack.arena().gradient(&losses.sum(None)); // the sum does not mix replicas
        stopwatch.add_lap_to(&mut timing.backward);
        steps.observe(&losses, &outputs, rows.len(), weights.as_ref());
        steps.observe_gradient(task, stack, &gradient);
        let _no_grad = tch::no_grad_guard();
        let mut values = stack.arena().values().shallow_clone(); // shares the storage
        penalty.iter().for_each(|penalty| penalty.add_to(&mut gradient, &values));
        clip.iter().for_each(|clip| clip.apply(&mut gradient));
        optimizer.set_momenta(&learning_rates.momenta(number, step));
        optimizer.step(&mut values, &gradient, learning_rates.rates(number, step));
        stopwatch.add_lap_to(&mut timing.optimizer);
        counter.add(part);
    }
    Some(steps.averages(task.device))
}
