//! The training loop, for a whole stack at once: gather → forward → loss → backward → observe → step.
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
use crate::network::stack::Stack;
use crate::train::evaluate::{Figures, Measure, evaluate};
use crate::train::optimizer::rates::Rates;
use crate::train::{Keep, TrainSpec};

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
    /// The rows to train on.
    pub training: &'a DeviceRows,
    /// The rows that tell the best epoch.
    pub validation: Option<&'a DeviceRows>,
    /// Where the stack is.
    pub device: Device,
}

/// Told of each epoch as it ends.
pub trait Watch {
    /// An epoch has ended.
    fn epoch(&mut self, report: &EpochReport);
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
/// `stop` is looked at before each step: once set, the replicas that still train end as interrupted, with the epochs
/// that were completed.
pub fn fit(stack: &Stack, task: &Task, stop: &AtomicBool, watch: &mut dyn Watch) -> Vec<Outcome> {
    let settings = task.settings;
    let batch = settings.batch.size(task.training.len());
    let mut optimizer = settings.optimizer.start();
    let lr = settings.optimizer.lr();
    let rates = Rates::new(&vec![lr; task.seeds.len()], task.device);
    let mut progress = Progress::new(stack, task);

    for number in 1..=settings.epochs {
        let started = Instant::now();
        let epoch = Epoch::draw(task.training, task.seeds, number, batch, settings.shuffle, task.device);
        let mut seen = Seen::default();
        for rows in epoch.batches() {
            if stop.load(Ordering::Relaxed) {
                return progress.end(stack, Status::Interrupted);
            }
            let outputs = stack.forward_t(&epoch.features(&rows), true); // [replicas, batch, outputs]
            let losses = task.measure.loss.of_each_replica(&outputs, &epoch.targets(&rows)); // [replicas]
            let gradient = stack.arena().gradient(&losses.sum(None)); // the sum keeps replicas apart
            seen.observe(&losses, &outputs, rows.len());
            let _no_grad = tch::no_grad_guard();
            optimizer.step(&mut stack.arena().values().shallow_clone(), &gradient, &rates);
        }
        let training = seen.figures(&epoch, task);
        let validation = task.validation.map(|rows| evaluate(stack, rows, task.measure));
        let metrics = read(training, validation); // the epoch's one read from the device
        if !progress.record(stack, number, metrics, lr, started.elapsed().as_secs_f64(), watch) {
            break;
        }
    }
    progress.end(stack, Status::Completed)
}

/// What the steps of an epoch have shown, on the device.
#[derive(Default)]
struct Seen {
    losses: Vec<Tensor>,  // [replicas] each
    outputs: Vec<Tensor>, // [replicas, batch, outputs] each
    rows: Vec<f64>,
}

impl Seen {
    fn observe(&mut self, losses: &Tensor, outputs: &Tensor, rows: usize) {
        self.losses.push(losses.detach());
        self.outputs.push(outputs.detach());
        self.rows.push(rows as f64);
    }

    /// The averages over the epoch's rows, in training mode.
    fn figures(&self, epoch: &Epoch, task: &Task) -> Figures {
        let _no_grad = tch::no_grad_guard();
        let weights = Tensor::from_slice(&self.rows).to_device(task.device); // [steps], f64
        let losses = Tensor::stack(&self.losses, 0).to_kind(Kind::Double); // [steps, replicas]
        let outputs = Tensor::cat(&self.outputs, 1); // [replicas, rows, outputs]
        let rows: f64 = self.rows.iter().sum();
        let loss = (losses * weights.unsqueeze(1)).sum_dim_intlist(0, false, None) / rows;
        let mut figures = vec![("loss".to_owned(), loss)];
        figures.extend(task.measure.metrics(&outputs, &epoch.truth));
        figures
    }
}

/// Brings an epoch's figures back from the device, all in one read: each name with a value for each replica.
fn read(training: Figures, validation: Option<Figures>) -> Vec<(String, Vec<f64>)> {
    let validation = validation.into_iter().flatten().map(|(name, figure)| (format!("val_{name}"), figure));
    let (names, figures): (Vec<_>, Vec<_>) = training.into_iter().chain(validation).unzip();
    let values = Tensor::stack(&figures, 0).to_device(Device::Cpu); // [figures, replicas]
    let values = Vec::<Vec<f64>>::try_from(&values).expect("figures are f64");
    names.into_iter().zip(values).collect()
}

/// What is known of each replica so far: curves, the best epoch and its weights.
struct Progress<'a> {
    settings: &'a TrainSpec,
    monitor: &'a str,
    higher_is_better: bool,
    outcomes: Vec<Outcome>,
    training: Vec<bool>,
    best: Vec<Option<f64>>,
    best_values: Tensor, // [replicas, parameters]
}

impl<'a> Progress<'a> {
    fn new(stack: &Stack, task: &Task<'a>) -> Self {
        let (monitor, higher_is_better) = task.monitor;
        // interrupted, until it has ended some other way
        let outcome = Outcome { status: Status::Interrupted, curves: Curves::default(), best_epoch: None };
        Progress {
            settings: task.settings,
            monitor,
            higher_is_better,
            outcomes: vec![outcome; task.seeds.len()],
            training: vec![true; task.seeds.len()],
            best: vec![None; task.seeds.len()],
            best_values: stack.arena().values().copy(),
        }
    }

    /// Takes an epoch down for every replica that still trains; says whether any goes on.
    fn record(
        &mut self,
        stack: &Stack,
        epoch: usize,
        metrics: Vec<(String, Vec<f64>)>,
        lr: f64,
        seconds: f64,
        watch: &mut dyn Watch,
    ) -> bool {
        for (replica, outcome) in self.outcomes.iter_mut().enumerate() {
            if !self.training[replica] {
                continue;
            }
            let mut row: Vec<(&str, f64)> =
                metrics.iter().map(|(name, values)| (name.as_str(), values[replica])).collect();
            if row.iter().any(|(name, value)| name.ends_with("loss") && !value.is_finite()) {
                outcome.status = Status::Diverged;
                self.training[replica] = false;
            }
            let monitored = row.iter().find(|(name, _)| *name == self.monitor).map(|(_, value)| *value);
            row.extend([("lr", lr), ("seconds", seconds)]);
            outcome.curves.push(epoch, &row);
            let Some(value) = monitored.filter(|value| value.is_finite()) else { continue };
            let better = |best: f64| if self.higher_is_better { value > best } else { value < best };
            if self.best[replica].is_none_or(better) {
                self.best[replica] = Some(value);
                outcome.best_epoch = Some(epoch);
                if self.settings.keep == Keep::Best {
                    let row = replica as i64;
                    self.best_values.get(row).copy_(&stack.arena().values().get(row));
                }
            }
        }
        let training = self.training.clone();
        let goes_on = training.contains(&true);
        watch.epoch(&EpochReport { epoch, epochs: self.settings.epochs, metrics, seconds, training });
        goes_on
    }

    /// Ends the replicas that still train with this status, and puts back the weights to keep.
    fn end(mut self, stack: &Stack, status: Status) -> Vec<Outcome> {
        for (replica, outcome) in self.outcomes.iter_mut().enumerate() {
            if self.training[replica] {
                outcome.status = status;
            }
            if self.settings.keep == Keep::Best && outcome.best_epoch.is_some() {
                stack.arena().restore(replica, &self.best_values);
            }
        }
        self.outcomes
    }
}
