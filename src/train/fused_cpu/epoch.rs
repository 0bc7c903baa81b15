//! An epoch of a stack, on several threads.
//!
//! Who may touch which memory when: the features are only read. A replica's rows of the outputs, and its parameters,
//! belong to the thread that has the replica, or to its team, of which each member has a part of the rows. In a step of a
//! team's, up to the first barrier the parameters are only read, and each member writes to its own gradient; between the
//! two barriers all gradients are read, but the part of each that its owner sums up, and each member steps over its own
//! part of the parameters.

#![expect(unsafe_code, reason = "threads share the memory of tensors")]

use std::sync::atomic::{AtomicBool, Ordering};

use tch::{Device, Kind, Tensor};

use crate::data::prepare::batches::{DeviceRows, Epoch};
use crate::metrics::Metric;
use crate::network::stack::Stack;
use crate::tensor::raw_f32::RawF32;
use crate::train::evaluate::{Figures, Measure};
use crate::train::fused_cpu::crew::{Pool, Worker, useful_members, useful_threads};
use crate::train::fused_cpu::gather::gather;
use crate::train::fused_cpu::loss::Targets;
use crate::train::fused_cpu::plan::Plan;
use crate::train::fused_cpu::shard::{Weights, Workspace};
use crate::train::fused_cpu::team::ThreadGroup;
use crate::train::optimizer::update::{Rows, Update};
use crate::train::schedule::learning_rates::StepSettings;
use crate::train::state::timing::{Lap, Timing};

/// How many rows go through the network at once when nothing is trained.
const BLOCK: usize = 256;

/// Parts of a row of parameters begin at multiples of this: whole cache lines.
const GRAIN: usize = 16;

/// A stack that is trained without autograd.
pub(crate) struct FusedCpu {
    plan: Plan,
    replicas: usize,
    batch: usize,
    crew: Pool,
    outputs: Tensor, // of the last epoch, [replicas, rows, outputs]
}

/// What an epoch is trained with.
struct Work<'a> {
    plan: &'a Plan,
    gradients: &'a [RawF32],
    batch: usize,
    rows: usize,
    order: Option<Vec<i64>>, // [replicas, rows]
    targets: Vec<Target>,
    features: RawF32,
    outputs: RawF32,
    updates: Rows,
    steps: &'a [StepSettings],
    step: u64, // steps before this epoch
    stop: &'a AtomicBool,
    is_cut_short: AtomicBool, // whether a replica has steps left
}

/// The targets of a replica's rows, in the epoch's order.
enum Target {
    Classes(Vec<i64>),
    Values(Vec<f32>),
}

impl FusedCpu {
    /// Lays out buffers and threads for the rows of a stack.
    pub(in crate::train) fn new(
        plan: Plan,
        stack: &Stack,
        training: &DeviceRows,
        validation: Option<&DeviceRows>,
        batch: usize,
        threads: usize,
    ) -> FusedCpu {
        let (replicas, rows) = (stack.replicas(), training.len());
        let threads = useful_threads(plan.operations(), replicas, rows, batch, threads);
        let flat = |features: &Tensor| features.contiguous().view([-1, plan.inputs() as i64]);
        let (training, validation) = (flat(&training.features), validation.map(|rows| flat(&rows.features)));
        let values = stack.arena().values();
        let crew = Pool::new(replicas, threads, || Worker {
            weights: (0..replicas as i64).map(|replica| Weights::of(&plan, &values.get(replica))).collect(),
            training: training.shallow_clone(),
            validation: validation.as_ref().map(Tensor::shallow_clone),
            shard: Workspace::new(&plan, batch),
            block: Workspace::new(&plan, BLOCK),
            losses: Vec::new(),
        });
        let shape = [replicas as i64, rows as i64, plan.outputs() as i64];
        let outputs = Tensor::zeros(shape, (Kind::Float, Device::Cpu));
        FusedCpu { plan, replicas, batch, crew, outputs }
    }

    /// Trains the replicas that `training` says for an epoch. Returns the mean loss of each replica's rows, `[replicas]`,
    /// f64, and what the network made of each row before the step that it had a part in, `[replicas, rows, outputs]`;
    /// `None` where `stop` was set before the last step.
    ///
    /// `steps` has the settings of each step.
    pub(in crate::train) fn train(
        &mut self,
        epoch: &Epoch,
        update: &mut Update,
        values: &Tensor,
        steps: &[StepSettings],
        training: &[bool],
        stop: &AtomicBool,
    ) -> Option<(Tensor, Tensor)> {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let rows = epoch.rows();
        let features =
            self.crew.workers().next().map(|worker| RawF32::of(&worker.training)).expect("there is a worker");
        let work = Work {
            plan: &self.plan,
            gradients: &self.crew.gradients,
            batch: self.batch,
            rows,
            order: epoch.order().map(|order| Vec::try_from(order.flatten(0, -1)).expect("row numbers are int64")),
            targets: (0..self.replicas as i64).map(|replica| target(&epoch.all_targets().get(replica))).collect(),
            features,
            outputs: RawF32::of(&self.outputs),
            updates: update.rows(values),
            steps,
            step: update.steps(),
            stop,
            is_cut_short: AtomicBool::new(false),
        };
        let members = useful_members(self.plan.operations(), self.batch);
        self.crew.on_all_threads(training, members, |worker, replicas, member, team| {
            replicas.iter().for_each(|&replica| train_replica(worker, &work, replica, member, team));
        });
        if work.is_cut_short.load(Ordering::Relaxed) {
            return None;
        }
        update.count(steps.len() as u64);
        let mut losses = vec![0.0; self.replicas];
        for worker in self.crew.workers() {
            for (replica, sum) in worker.losses.drain(..) {
                losses[replica] += sum / rows as f64;
            }
        }
        Some((Tensor::from_slice(&losses), self.outputs.shallow_clone()))
    }

    /// What the networks make of the validation rows, `[replicas, rows, outputs]`.
    pub(in crate::train) fn of_validation(&mut self, rows: &DeviceRows, training: &[bool]) -> Tensor {
        let (count, inputs, columns) = (rows.len(), self.plan.inputs(), self.plan.outputs());
        let outputs = Tensor::zeros([self.replicas as i64, count as i64, columns as i64], (Kind::Float, Device::Cpu));
        let floats = RawF32::of(&outputs);
        let chosen: Option<Vec<i64>> =
            rows.chosen.as_ref().map(|chosen| Vec::try_from(chosen.flatten(0, -1)).expect("int64"));
        self.crew.on_all_threads(training, count / BLOCK, |worker, replicas, member, team| {
            let Worker { weights, validation, block, .. } = worker;
            let features = validation.as_ref().expect("there are validation rows");
            let part = team.part(member, count, BLOCK);
            for start in part.clone().step_by(BLOCK) {
                let taken = BLOCK.min(part.end - start);
                let given = features.narrow(0, if chosen.is_some() { 0 } else { start as i64 }, taken as i64);
                for &replica in replicas {
                    let first = replica * count + start;
                    let given = match &chosen {
                        Some(chosen) => {
                            let numbers = &chosen[first..first + taken];
                            // SAFETY: the worker keeps the features alive, and nobody writes to them.
                            let features = unsafe { RawF32::of(features).get() };
                            gather(features, numbers, inputs, block.inputs(taken));
                            None
                        }
                        None => Some(&given),
                    };
                    let found = block.forward(given, taken, &weights[replica]);
                    let place = floats.part(first * columns..(first + taken) * columns);
                    // SAFETY: the outputs live to the end of this function, and each of a replica's rows is one thread's.
                    let place = unsafe { place.get_mut() };
                    place.copy_from_slice(found);
                }
            }
        });
        outputs
    }

    /// The metrics of each replica, as [`Measure::metrics`] finds them.
    pub(in crate::train) fn metrics(&self, measure: &Measure, outputs: &Tensor, truth: &Tensor) -> Figures {
        let of_replica = |replica| (outputs.narrow(0, replica, 1), truth.narrow(0, replica, 1));
        let (metrics, decision, positive) = (&measure.metrics, measure.decision, measure.positive);
        let each = self.crew.of_each((0..self.replicas as i64).map(of_replica).collect(), |(outputs, truth)| {
            let of = |metric: &Metric| metric.of_each_replica(&outputs, &truth, decision, positive);
            metrics.iter().map(of).collect::<Vec<Tensor>>()
        });
        let figures = metrics.iter().enumerate().map(|(place, metric)| {
            let values: Vec<&Tensor> = each.iter().map(|of_replica| &of_replica[place]).collect();
            (metric.name().into_owned(), Tensor::cat(&values, 0))
        });
        figures.collect()
    }

    /// Where the caller's thread has spent its time.
    pub(in crate::train) fn phases(&mut self) -> &mut Timing {
        self.crew.phases()
    }
}

/// One epoch of one replica, or a thread's part in it.
fn train_replica(worker: &mut Worker, work: &Work, replica: usize, member: usize, team: &ThreadGroup) {
    let Worker { weights, training, shard, losses, .. } = worker;
    let (weights, columns) = (&weights[replica], work.plan.outputs());
    let others = || (0..team.members).filter(|&other| other != member).map(|other| work.gradients[team.first + other]);
    let own = team.part(member, work.plan.parameters, GRAIN);
    let mut sum = 0.0;
    for (step, settings) in work.steps.iter().enumerate() {
        let start = step * work.batch;
        let batch = work.batch.min(work.rows - start);
        let part = team.part(member, batch, 1);
        let (first, rows) = (start + part.start, part.len());
        let place = replica * work.rows + first; // in what lies by replica and row

        let mut lap = Lap::new();
        if rows > 0 {
            let given = match &work.order {
                Some(order) => {
                    // SAFETY: the workers keep the features alive, and nobody writes to them.
                    let features = unsafe { work.features.get() };
                    gather(features, &order[place..place + rows], work.plan.inputs(), shard.inputs(rows));
                    None
                }
                None => Some(training.narrow(0, first as i64, rows as i64)),
            };
            lap.adds_to(&mut shard.phases.gather);
            let targets = work.targets[replica].as_slice().rows(first, rows, columns);
            let (loss, found) = shard.forward_backward(given.as_ref(), targets, rows, batch, weights);
            sum += loss;
            let outputs = work.outputs.part(place * columns..(place + rows) * columns);
            // SAFETY: `FusedCpu` keeps the outputs alive, and each of a replica's rows is one thread's, once in an epoch.
            let outputs = unsafe { outputs.get_mut() };
            outputs.copy_from_slice(found);
        } else {
            // the last batch has fewer rows than the team has members
            // SAFETY: the worker keeps the gradient alive; it is this thread's up to the barrier.
            let gradient = unsafe { shard.gradient().get_mut() };
            gradient.fill(0.0);
        }

        #[cfg(test)]
        crate::train::fused_cpu::tests::at_step(work.stop);
        if member == 0 && work.stop.load(Ordering::Relaxed) {
            team.stop();
        }
        let mut lap = Lap::new();
        if !team.barrier.wait() {
            return; // the other thread's panic is told
        }
        lap.adds_to(&mut shard.phases.waiting); // the gradients of all parts are there
        let is_stopped = team.is_stopped(); // asked here, where nobody can say so: all members hear the same
        // SAFETY: between the barriers each member writes to its own gradient alone, and there to the part that is its own;
        // the others read other parts of it.
        let gradient = unsafe { shard.gradient().part(own.clone()).get_mut() };
        for other in others() {
            // SAFETY: as above: the other member, whose worker the crew keeps, writes to another part of its gradient.
            let other = unsafe { other.part(own.clone()).get() };
            gradient.iter_mut().zip(other).for_each(|(gradient, other)| *gradient += other);
        }
        let number = work.step + step as u64 + 1;
        // SAFETY: the caller keeps values and memory alive for the epoch; of this replica's, between the barriers, each
        // member touches its own part.
        unsafe {
            work.updates.step(replica, own.clone(), gradient, settings.lrs[replica], settings.momentum, number);
        }
        lap.adds_to(&mut shard.phases.optimizer);
        let all_have_stepped = team.barrier.wait();
        lap.adds_to(&mut shard.phases.waiting);
        if !all_have_stepped {
            return; // the other thread's panic is told
        }
        if is_stopped && step + 1 < work.steps.len() {
            work.is_cut_short.store(true, Ordering::Relaxed);
            return;
        }
    }
    losses.push((replica, sum));
}

impl Target {
    fn as_slice(&self) -> Targets<'_> {
        match self {
            Target::Classes(classes) => Targets::Classes(classes),
            Target::Values(values) => Targets::Values(values),
        }
    }
}

/// The targets of a replica, `[rows]` int64 or `[rows, outputs]` f32.
fn target(of_replica: &Tensor) -> Target {
    match of_replica.kind() {
        Kind::Int64 => Target::Classes(Vec::try_from(of_replica).expect("int64")),
        _ => Target::Values(Vec::try_from(of_replica.contiguous().flatten(0, -1)).expect("f32")),
    }
}
