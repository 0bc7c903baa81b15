//! The two ways of training an epoch: by autograd, for any network, and without it, for those that are dense.

use std::sync::atomic::{AtomicBool, Ordering};

use tch::Tensor;
use tch::nn::ModuleT;

use crate::data::prepare::batches::{DeviceRows, Epoch};
use crate::network::layer::Layer;
use crate::network::stack::Stack;
use crate::train::evaluate::{Figures, evaluate, losses};
use crate::train::fused_cpu::epoch::FusedCpu;
use crate::train::fused_cpu::plan::Plan;
use crate::train::optimizer::update::Update;
use crate::train::schedule::learning_rates::{LearningRates, StepSettings};
use crate::train::state::epoch_outputs::{EpochOutputs, Steps};
use crate::train::state::timing::{Lap, Timing};
use crate::train::task::Task;

/// The floating-point operations of a step below which libtorch's threads cost more than they bring.
const LEAST_WORK_FOR_THREADS: usize = 8_000_000;

/// How gradients are found.
pub(crate) enum Backend<'a> {
    /// By autograd: any network.
    Autograd { stack: &'a Stack, task: &'a Task<'a>, threads: usize, phases: Timing },
    /// Without it: linear layers and activations on the CPU.
    FusedCpu { dense: Box<FusedCpu>, values: Tensor, task: &'a Task<'a> },
}

impl<'a> Backend<'a> {
    pub(super) fn of(stack: &'a Stack, task: &'a Task, batch: usize) -> Self {
        match Plan::of(stack, task) {
            Some(plan) => {
                let dense = FusedCpu::new(plan, stack, task.training, task.validation, batch, task.threads);
                Backend::FusedCpu { dense: Box::new(dense), values: stack.arena().values().shallow_clone(), task }
            }
            None => Backend::autograd(stack, task, batch),
        }
    }

    pub(super) fn autograd(stack: &'a Stack, task: &'a Task, batch: usize) -> Self {
        // only the layers' sizes are known here: a layer that uses its weights many times over has use for all threads
        let operations = 6 * stack.arena().values().numel() * batch;
        let has_linear_alone = !task.layers.iter().any(|layer| matches!(layer, Layer::Conv2d(_)));
        let is_small = has_linear_alone && operations < LEAST_WORK_FOR_THREADS;
        Backend::Autograd { stack, task, threads: if is_small { 1 } else { task.threads }, phases: Timing::default() }
    }

    /// How many threads libtorch's own operations get: one where ours share out the work.
    pub(super) fn libtorch_threads(&self) -> usize {
        match self {
            Backend::Autograd { threads, .. } => *threads,
            Backend::FusedCpu { .. } => 1,
        }
    }

    /// Where the time has gone.
    pub(super) fn phases(&mut self) -> &mut Timing {
        match self {
            Backend::Autograd { phases, .. } => phases,
            Backend::FusedCpu { dense, .. } => dense.phases(),
        }
    }

    /// One epoch of training; `None` once `stop` was set.
    pub(super) fn train(
        &mut self,
        epoch: &Epoch,
        optimizer: &mut Update,
        course: &mut LearningRates,
        number: usize,
        training: &[bool],
        stop: &AtomicBool,
    ) -> Option<EpochOutputs> {
        match self {
            Backend::Autograd { stack, task, phases, .. } => {
                by_autograd(stack, task, epoch, optimizer, course, number, stop, phases)
            }
            Backend::FusedCpu { dense, values, .. } => {
                let steps: Vec<StepSettings> =
                    (0..epoch.batches().count()).map(|step| course.step(number, step)).collect();
                let (loss, outputs) = dense.train(epoch, optimizer, values, &steps, training, stop)?;
                Some(EpochOutputs { loss, outputs, gradients: Vec::new() })
            }
        }
    }

    /// The figures of the validation rows.
    pub(super) fn of_validation(&mut self, rows: &DeviceRows, training: &[bool]) -> Figures {
        match self {
            Backend::Autograd { stack, task, .. } => evaluate(stack, rows, task.measure),
            Backend::FusedCpu { dense, task, .. } => {
                let _no_grad = tch::no_grad_guard();
                let outputs = dense.of_validation(rows, training);
                let truth = rows.of_each_replica(&rows.truth, training.len());
                let mut figures = vec![("loss".to_owned(), losses(&outputs, rows, task.measure))];
                figures.extend(dense.metrics(task.measure, &outputs, &truth));
                figures
            }
        }
    }

    /// The metrics of each replica.
    pub(super) fn metrics(&self, outputs: &Tensor, truth: &Tensor) -> Figures {
        match self {
            Backend::Autograd { task, .. } => task.measure.metrics(outputs, truth),
            Backend::FusedCpu { dense, task, .. } => dense.metrics(task.measure, outputs, truth),
        }
    }
}

/// One epoch: gather → forward → loss → backward → observe → penalty, clip → step. `None` once `stop` was set.
#[expect(clippy::too_many_arguments, reason = "all that a step needs")]
fn by_autograd(
    stack: &Stack,
    task: &Task,
    epoch: &Epoch,
    optimizer: &mut Update,
    course: &mut LearningRates,
    number: usize,
    stop: &AtomicBool,
    phases: &mut Timing,
) -> Option<EpochOutputs> {
    let settings = task.settings;
    let penalty = settings.penalty.map(|penalty| penalty.on(stack.arena()));
    let mut steps = Steps::default();
    for (step, rows) in epoch.batches().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let mut lap = Lap::new();
        let features = epoch.features(&rows); // [replicas, batch, …]
        let features = settings.augment.map_or(features.shallow_clone(), |augment| augment.apply(&features));
        lap.adds_to(&mut phases.gather);
        let outputs = stack.forward_t(&features, true); // [replicas, batch, outputs]
        lap.adds_to(&mut phases.forward);
        let weights = epoch.weights(&rows);
        let losses = task.measure.loss.of_each_replica(&outputs, &epoch.targets(&rows), weights.as_ref()); // [replicas]
        let mut gradient = stack.arena().gradient(&losses.sum(None)); // the sum keeps replicas apart
        lap.adds_to(&mut phases.backward);
        steps.observe(&losses, &outputs, rows.len(), weights.as_ref());
        steps.observe_gradient(task, stack, &gradient);
        let _no_grad = tch::no_grad_guard();
        let mut values = stack.arena().values().shallow_clone(); // the same storage
        penalty.iter().for_each(|penalty| penalty.add_to(&mut gradient, &values));
        settings.clip.iter().for_each(|clip| clip.apply(&mut gradient));
        optimizer.set_momentum(course.momentum(number, step));
        optimizer.step(&mut values, &gradient, course.rates(number, step));
        lap.adds_to(&mut phases.optimizer);
    }
    Some(steps.seen(task.device))
}
