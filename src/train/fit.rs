//! The training loop, for a whole stack at once.
//!
//! Gradients come from autograd, a step at a time in `by_autograd`; or, for networks that need no more than matrix
//! products, an epoch at a time from [`crate::train::dense`].
//!
//! Nothing inside an epoch waits for the device: losses and outputs stay there until the epoch is over, and come back
//! in one read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use crate::data::batches::{DeviceRows, Epoch};
use crate::history::Status;
use crate::history::curves::Curves;
use crate::network::layer::Layer;
use crate::network::stack::Stack;
use crate::observe::{self, Observations, Observer, norms};
use crate::threads;
use crate::train::TrainSpec;
use crate::train::dense::Dense;
use crate::train::dense::plan::Plan;
use crate::train::evaluate::{Figures, Measure, evaluate, losses};
use crate::train::optimizer::Optimizer;
use crate::train::optimizer::update::Update;
use crate::train::phases::{Lap, Phases};
use crate::train::progress::Progress;
use crate::train::schedule::Length;
use crate::train::schedule::course::Course;

/// The floating-point operations of a step below which libtorch's threads cost more than they bring.
const LEAST_WORK_FOR_THREADS: usize = 8_000_000;

/// How many training rows observers look at after an epoch.
const OBSERVED_ROWS: usize = 1024;

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
    /// Which replicas still train.
    pub training: Vec<bool>,
}

/// How the training of one replica went.
#[derive(Clone, Debug)]
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
/// `stop` is looked at before each step: once set, the replicas that still train end as interrupted, with the epochs
/// that were completed.
pub fn fit(stack: &Stack, task: &Task, stop: &AtomicBool, watch: &mut dyn Watch) -> Vec<Outcome> {
    let batch = task.settings.batch.size(task.training.len());
    let mut way = Way::of(stack, task, batch);
    threads::set_libtorch(way.libtorch_threads());
    let outcomes = by_way(&mut way, stack, task, batch, stop, watch);
    threads::set_libtorch(task.threads);
    watch.phases(way.phases());
    outcomes
}

/// The epochs.
pub(super) fn by_way(
    way: &mut Way,
    stack: &Stack,
    task: &Task,
    batch: usize,
    stop: &AtomicBool,
    watch: &mut dyn Watch,
) -> Vec<Outcome> {
    let settings = task.settings;
    let decays: Vec<f64> = task.optimizers.iter().map(|optimizer| optimizer.weight_decay()).collect();
    let mut optimizer = settings.optimizer.start_each(&decays, task.device);
    let mut course = start_course(task, batch);
    let mut progress = Progress::new(stack, task);

    for number in 1..=settings.epochs {
        let started = Instant::now();
        let epoch = Epoch::draw(task.training, task.seeds, number, batch, settings.shuffle, task.device);
        let Some(seen) = way.train(&epoch, &mut optimizer, &mut course, number, progress.training(), stop) else {
            return progress.end(stack, Status::Interrupted);
        };
        let clock = Instant::now();
        let training = seen.figures(&epoch, task, stack, way);
        let validation = task.validation.map(|rows| way.of_validation(rows, progress.training()));
        let (metrics, finite) = read(training, validation, stack); // the epoch's one read from the device
        way.phases().figures += clock.elapsed().as_secs_f64();
        course.observe(number, &metrics);
        if !progress.record(stack, number, metrics, &finite, course.lrs(), started.elapsed().as_secs_f64(), watch) {
            break;
        }
    }
    progress.end(stack, Status::Completed)
}

/// How gradients are found.
pub(super) enum Way<'a> {
    /// By autograd: any network.
    Autograd { stack: &'a Stack, task: &'a Task<'a>, threads: usize, phases: Phases },
    /// Without it: linear layers and activations on the CPU.
    Dense { dense: Box<Dense>, values: Tensor, task: &'a Task<'a> },
}

impl<'a> Way<'a> {
    fn of(stack: &'a Stack, task: &'a Task, batch: usize) -> Self {
        match Plan::of(stack, task) {
            Some(plan) => {
                let dense = Dense::new(plan, stack, task.training, task.validation, batch, task.threads);
                Way::Dense { dense: Box::new(dense), values: stack.arena().values().shallow_clone(), task }
            }
            None => Way::autograd(stack, task, batch),
        }
    }

    pub(super) fn autograd(stack: &'a Stack, task: &'a Task, batch: usize) -> Self {
        // only the layers' sizes are known here: a layer that uses its weights many times over has use for all threads
        let operations = 6 * stack.arena().values().numel() * batch;
        let has_linear_alone = !task.layers.iter().any(|layer| matches!(layer, Layer::Conv2d(_)));
        let is_small = has_linear_alone && operations < LEAST_WORK_FOR_THREADS;
        Way::Autograd { stack, task, threads: if is_small { 1 } else { task.threads }, phases: Phases::default() }
    }

    /// How many threads libtorch's own operations get: one where ours share out the work.
    fn libtorch_threads(&self) -> usize {
        match self {
            Way::Autograd { threads, .. } => *threads,
            Way::Dense { .. } => 1,
        }
    }

    /// Where the time has gone.
    fn phases(&mut self) -> &mut Phases {
        match self {
            Way::Autograd { phases, .. } => phases,
            Way::Dense { dense, .. } => dense.phases(),
        }
    }

    /// One epoch of training; `None` once `stop` was set.
    fn train(
        &mut self,
        epoch: &Epoch,
        optimizer: &mut Update,
        course: &mut Course,
        number: usize,
        training: &[bool],
        stop: &AtomicBool,
    ) -> Option<Seen> {
        match self {
            Way::Autograd { stack, task, phases, .. } => {
                by_autograd(stack, task, epoch, optimizer, course, number, stop, phases)
            }
            Way::Dense { dense, values, .. } => {
                let rates: Vec<Vec<f64>> = (0..epoch.batches().count())
                    .map(|step| {
                        course.rates(number, step);
                        course.lrs().to_vec()
                    })
                    .collect();
                let (loss, outputs) = dense.train(epoch, optimizer, values, &rates, training, stop)?;
                Some(Seen { loss, outputs, gradients: Vec::new() })
            }
        }
    }

    /// The figures of the validation rows.
    fn of_validation(&mut self, rows: &DeviceRows, training: &[bool]) -> Figures {
        match self {
            Way::Autograd { stack, task, .. } => evaluate(stack, rows, task.measure),
            Way::Dense { dense, task, .. } => {
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
    fn metrics(&self, outputs: &Tensor, truth: &Tensor) -> Figures {
        match self {
            Way::Autograd { task, .. } => task.measure.metrics(outputs, truth),
            Way::Dense { dense, task, .. } => dense.metrics(task.measure, outputs, truth),
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "all that a step needs")]
/// One epoch: gather → forward → loss → backward → observe → penalty, clip → step. `None` once `stop` was set.
fn by_autograd(
    stack: &Stack,
    task: &Task,
    epoch: &Epoch,
    optimizer: &mut Update,
    course: &mut Course,
    number: usize,
    stop: &AtomicBool,
    phases: &mut Phases,
) -> Option<Seen> {
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
        let weights = epoch.weights(&rows);
        let losses = task.measure.loss.of_each_replica(&outputs, &epoch.targets(&rows), weights.as_ref()); // [replicas]
        lap.adds_to(&mut phases.forward);
        let mut gradient = stack.arena().gradient(&losses.sum(None)); // the sum keeps replicas apart
        lap.adds_to(&mut phases.backward);
        steps.observe(&losses, &outputs, rows.len(), weights.as_ref());
        steps.observe_gradient(task, stack, &gradient);
        let _no_grad = tch::no_grad_guard();
        let mut values = stack.arena().values().shallow_clone(); // the same storage
        penalty.iter().for_each(|penalty| penalty.add_to(&mut gradient, &values));
        settings.clip.iter().for_each(|clip| clip.apply(&mut gradient));
        optimizer.step(&mut values, &gradient, course.rates(number, step));
        lap.adds_to(&mut phases.optimizer);
    }
    Some(steps.seen(task.device))
}

/// The learning rates, before the first step.
fn start_course(task: &Task, batch: usize) -> Course {
    let settings = task.settings;
    let length = Length { epochs: settings.epochs, steps: task.training.len().div_ceil(batch) };
    let lrs = task.optimizers.iter().map(|optimizer| optimizer.lr()).collect();
    Course::new(&settings.schedule, lrs, length, task.device, task.monitor.0, |name| task.higher_is_better(name))
}

/// What the steps of an epoch have shown, on the device.
#[derive(Default)]
struct Steps {
    losses: Vec<Tensor>,  // [replicas] each
    outputs: Vec<Tensor>, // [replicas, batch, outputs] each
    rows: Vec<f64>,
    weights: Vec<Tensor>, // [replicas] each: what the batch's rows weigh, where they have weights
    gradients: Vec<Observations>,
}

impl Steps {
    fn observe(&mut self, losses: &Tensor, outputs: &Tensor, rows: usize, weights: Option<&Tensor>) {
        self.losses.push(losses.detach());
        self.outputs.push(outputs.detach());
        self.rows.push(rows as f64);
        self.weights.extend(weights.map(|weights| weights.sum_dim_intlist(1, false, Kind::Double)));
    }

    fn observe_gradient(&mut self, task: &Task, stack: &Stack, gradient: &Tensor) {
        if task.settings.observe.contains(&Observer::GradientNorm) {
            self.gradients.push(norms::of_gradient(stack, gradient));
        }
    }

    /// The averages over the epoch's rows.
    fn seen(&self, device: Device) -> Seen {
        let _no_grad = tch::no_grad_guard();
        let weights = match self.weights.is_empty() {
            true => Tensor::from_slice(&self.rows).to_device(device).unsqueeze(1), // [steps, 1], f64
            false => Tensor::stack(&self.weights, 0),                              // [steps, replicas], f64
        };
        let losses = Tensor::stack(&self.losses, 0).to_kind(Kind::Double); // [steps, replicas]
        let mean = |place: usize| {
            let norms: Vec<&Tensor> = self.gradients.iter().map(|norms| &norms[place].1).collect();
            Tensor::stack(&norms, 0).mean_dim(0, false, None)
        };
        let names = self.gradients.first().into_iter().flatten().map(|(name, _)| name.clone());
        Seen {
            loss: (losses * &weights).sum_dim_intlist(0, false, None) / weights.sum_dim_intlist(0, false, None),
            outputs: Tensor::cat(&self.outputs, 1),
            gradients: names.enumerate().map(|(place, name)| (name, mean(place))).collect(),
        }
    }
}

/// What an epoch has shown, in training mode, on the device.
struct Seen {
    loss: Tensor,       // the mean over the epoch's rows, [replicas], f64
    outputs: Tensor,    // [replicas, rows, outputs]
    gradients: Figures, // what is observed of gradients, as means over the steps
}

impl Seen {
    /// The figures of the epoch's rows, and what is observed in the layers.
    fn figures(self, epoch: &Epoch, task: &Task, stack: &Stack, way: &Way) -> Figures {
        let _no_grad = tch::no_grad_guard();
        let mut figures = vec![("loss".to_owned(), self.loss)];
        figures.extend(way.metrics(&self.outputs, &epoch.truth));
        figures.extend(self.gradients);
        let sample = task.training.features(&(0..task.training.len().min(OBSERVED_ROWS)), stack.replicas());
        figures.extend(observe::after_epoch(&task.settings.observe, stack, task.layers, &sample));
        figures
    }
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
