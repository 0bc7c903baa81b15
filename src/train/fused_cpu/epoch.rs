//! Trains one epoch of a stack on several threads.
//!
//! Rules for shared memory: features are only read. A replica's outputs and parameters belong to the thread that trains
//! it, or to its group, in which each member has a part of the rows. Within a step of a group, parameters are only read
//! until all gradients are computed, and each member writes its own gradient. Between the last two barriers, each member
//! sums one part of all gradients into its own and updates the same part of the parameters; the other parts are only read.
//! The barriers of batch normalization, before these two, are in `normalization`.

#![expect(unsafe_code, reason = "threads share the memory of tensors")]

use std::sync::atomic::{AtomicBool, Ordering};

use tch::{Device, Kind, Tensor};

use crate::data::prepare::batches::{DeviceRows, Epoch};
use crate::data::prepare::features::Features;
use crate::metrics::Metric;
use crate::network::stack::Stack;
use crate::tensor::raw_values::{RawF32, RawValues};
use crate::train::evaluate::{Measure, MetricTensors};
use crate::train::fused_cpu::clip::ClipLimit;
use crate::train::fused_cpu::dropout::{MaskGenerator, Part};
use crate::train::fused_cpu::gather::{RawFeatures, load};
use crate::train::fused_cpu::group::ThreadGroup;
use crate::train::fused_cpu::loss::Targets;
use crate::train::fused_cpu::normalization::Member;
use crate::train::fused_cpu::plan::Plan;
use crate::train::fused_cpu::pool::{Pool, Worker, useful_members, useful_threads};
use crate::train::fused_cpu::workspace::{Weights, Workspace};
use crate::train::optimizer::update::{Rows, Update};
use crate::train::schedule::learning_rates::StepSettings;
use crate::train::state::epoch_counter::EpochCounter;
use crate::train::state::timing::{Stopwatch, Timing};

/// Number of rows in one forward pass in evaluation mode.
const BLOCK: usize = 256;

/// Parts of a row of parameters start at multiples of this, so that threads do not share cache lines.
const FLOATS_PER_CACHE_LINE: usize = 16;

/// The fused CPU backend of a stack.
pub(crate) struct FusedCpu {
    plan: Plan,
    replicas: usize,
    batch: usize,
    pool: Pool,
    outputs: Tensor,           // of the last epoch, [replicas, rows, outputs]
    batch_counts: Vec<Tensor>, // number of batches that each batch normalization has seen, int64, [replicas]
}

/// Everything that the threads need to train an epoch.
struct EpochWork<'a> {
    plan: &'a Plan,
    gradients: &'a [RawF32],
    statistics: &'a [RawValues<f64>],
    batch: usize,
    rows: usize,
    order: Option<Vec<i64>>, // [replicas, rows]
    targets: Vec<OwnedTargets>,
    generators: Vec<MaskGenerator>, // of each replica, if there is dropout
    features: Option<RawFeatures>,  // `None` if each column of bytes is scaled differently
    outputs: RawF32,
    updates: Rows,
    steps: &'a [StepSettings],
    step: u64, // number of steps before this epoch
    stop: &'a AtomicBool,
    is_incomplete: AtomicBool, // whether a replica was stopped before its last step
    counter: &'a EpochCounter,
    part: f64, // part of the epoch that a step of the first thread is
}

/// Targets of a replica's rows, in the epoch's order.
enum OwnedTargets {
    Classes(Vec<i64>),
    Values(Vec<f32>),
}

impl FusedCpu {
    /// Allocates buffers and starts threads for the rows of a stack.
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
        let (training, validation) = (&training.features, validation.map(|rows| &rows.features));
        let arena = stack.arena();
        let pool = Pool::new(replicas, threads, || Worker {
            weights: (0..replicas as i64).map(|replica| Weights::new(&plan, arena, replica)).collect(),
            training: training.shallow_clone(),
            validation: validation.map(Features::shallow_clone),
            workspace: Workspace::new(&plan, batch),
            validation_workspace: Workspace::new(&plan, BLOCK),
            losses: Vec::new(),
        });
        let shape = [replicas as i64, rows as i64, plan.outputs() as i64];
        let outputs = Tensor::zeros(shape, (Kind::Float, Device::Cpu));
        let buffers = plan.layers.iter().filter_map(|layer| layer.normalization.as_ref()?.buffers);
        let batch_counts = buffers.map(|first| arena.buffers()[first + 2].values.shallow_clone()).collect();
        FusedCpu { plan, replicas, batch, pool, outputs, batch_counts }
    }

    /// Trains one epoch of the replicas for which `training` is true. Returns the mean loss of each replica,
    /// `[replicas]`, f64, and the output of each row before the update of its step, `[replicas, rows, outputs]`; `None`
    /// if `stop` was set before the last step.
    ///
    /// `steps` holds the settings of each step. The first thread advances the counter.
    #[expect(clippy::too_many_arguments, reason = "all that an epoch needs")]
    pub(in crate::train) fn train(
        &mut self,
        epoch: &Epoch,
        update: &mut Update,
        values: &Tensor,
        steps: &[StepSettings],
        training: &[bool],
        stop: &AtomicBool,
        counter: &EpochCounter,
    ) -> Option<(Tensor, Tensor)> {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let rows = epoch.rows();
        let features = RawFeatures::new(&self.pool.workers().next().expect("there is a worker").training);
        let trained = training.iter().filter(|trains| **trains).count();
        let replicas_of_first_thread = trained.div_ceil(self.pool.threads()).max(1);
        let work = EpochWork {
            plan: &self.plan,
            gradients: &self.pool.gradients,
            statistics: &self.pool.statistics,
            batch: self.batch,
            rows,
            order: epoch
                .order
                .as_ref()
                .map(|order| Vec::try_from(order.flatten(0, -1)).expect("row numbers are int64")),
            targets: (0..self.replicas as i64).map(|replica| read_targets(&epoch.targets.get(replica))).collect(),
            generators: MaskGenerator::of_replicas(&self.plan, self.replicas),
            features,
            outputs: RawF32::from_tensor(&self.outputs),
            updates: update.rows(values),
            steps,
            step: update.steps(),
            stop,
            is_incomplete: AtomicBool::new(false),
            counter,
            part: 1.0 / (steps.len() * replicas_of_first_thread) as f64,
        };
        let members = useful_members(self.plan.operations(), self.batch);
        self.pool.run_on_all_threads(training, members, |worker, replicas, member, group| {
            replicas.iter().for_each(|&replica| train_replica(worker, &work, replica, member, group));
        });
        if work.is_incomplete.load(Ordering::Relaxed) {
            return None;
        }
        update.count(steps.len() as u64);
        self.count_batches(training, rows);
        let mut losses = vec![0.0; self.replicas];
        for worker in self.pool.workers() {
            for (replica, sum) in worker.losses.drain(..) {
                losses[replica] += sum / rows as f64;
            }
        }
        Some((Tensor::from_slice(&losses), self.outputs.shallow_clone()))
    }

    /// Counts the batches of an epoch that batch normalization has seen: those of more than one row.
    fn count_batches(&self, training: &[bool], rows: usize) {
        let batches = (rows / self.batch + usize::from(rows % self.batch > 1)) as i64;
        let batches = if self.batch == 1 { 0 } else { batches };
        let trains: Vec<i64> = training.iter().map(|trains| i64::from(*trains) * batches).collect();
        let trains = Tensor::from_slice(&trains);
        self.batch_counts.iter().for_each(|count| {
            let _ = count.shallow_clone().g_add_(&trains);
        });
    }

    /// Returns the outputs of the validation rows, `[replicas, rows, outputs]`.
    pub(in crate::train) fn validate(&mut self, rows: &DeviceRows, training: &[bool]) -> Tensor {
        let (count, inputs, columns) = (rows.len(), self.plan.inputs(), self.plan.outputs());
        let outputs = Tensor::zeros([self.replicas as i64, count as i64, columns as i64], (Kind::Float, Device::Cpu));
        let output_memory = RawF32::from_tensor(&outputs);
        let chosen: Option<Vec<i64>> =
            rows.chosen.as_ref().map(|chosen| Vec::try_from(chosen.flatten(0, -1)).expect("int64"));
        self.pool.run_on_all_threads(training, count / BLOCK, |worker, replicas, member, group| {
            let Worker { weights, validation, validation_workspace, .. } = worker;
            let features = validation.as_ref().expect("there are validation rows");
            let raw = RawFeatures::new(features);
            let part = group.part(member, count, BLOCK);
            for start in part.clone().step_by(BLOCK) {
                let block = start..part.end.min(start + BLOCK);
                let block_rows = block.len();
                let mut block_features = None;
                for (place, &replica) in replicas.iter().enumerate() {
                    let first = replica * count + start;
                    let numbers = chosen.as_ref().map(|chosen| &chosen[first..first + block_rows]);
                    if numbers.is_some() || place == 0 {
                        block_features = load(features, raw, numbers, &block, inputs, validation_workspace);
                    }
                    let row_outputs =
                        validation_workspace.forward(block_features.as_ref(), block_rows, &weights[replica]);
                    let destination = output_memory.part(first * columns..(first + block_rows) * columns);
                    // SAFETY: the outputs live until the end of this function, and each row of a replica belongs to one
                    // thread.
                    let destination = unsafe { destination.get_mut() };
                    destination.copy_from_slice(row_outputs);
                }
            }
        });
        outputs
    }

    /// Returns the metrics of each replica; see [`Measure::metrics`].
    pub(in crate::train) fn metrics(&self, measure: &Measure, outputs: &Tensor, truth: &Tensor) -> MetricTensors {
        let select_replica = |replica| (outputs.narrow(0, replica, 1), truth.narrow(0, replica, 1));
        let (metrics, decision, positive) = (&measure.metrics, measure.decision, measure.positive);
        let by_replica = self.pool.map((0..self.replicas as i64).map(select_replica).collect(), |(outputs, truth)| {
            let compute = |metric: &Metric| metric.per_replica(&outputs, &truth, decision, positive);
            metrics.iter().map(compute).collect::<Vec<Tensor>>()
        });
        let metrics = metrics.iter().enumerate().map(|(index, metric)| {
            let values: Vec<&Tensor> = by_replica.iter().map(|replica_values| &replica_values[index]).collect();
            (metric.name().into_owned(), Tensor::cat(&values, 0))
        });
        metrics.collect()
    }

    /// Returns the time that the calling thread has spent in each phase.
    pub(in crate::train) fn timing(&mut self) -> &mut Timing {
        self.pool.timing()
    }
}

/// Trains one epoch of one replica, or this thread's part of it.
fn train_replica(worker: &mut Worker, work: &EpochWork, replica: usize, member: usize, group: &ThreadGroup) {
    let Worker { weights, training, workspace, losses, .. } = worker;
    let (weights, columns, loss) = (&weights[replica], work.plan.outputs(), work.plan.losses[replica]);
    let others =
        || (0..group.members).filter(|&other| other != member).map(|other| work.gradients[group.first + other]);
    let own_part = group.part(member, work.plan.parameters, FLOATS_PER_CACHE_LINE);
    let mut generator = work.generators.get(replica).map(MaskGenerator::copy); // each member draws masks for its rows
    let this_member = Member { group, number: member, statistics: work.statistics };
    let mut sum = 0.0;
    for (step, settings) in work.steps.iter().enumerate() {
        let start = step * work.batch;
        let batch = work.batch.min(work.rows - start);
        let part = group.part(member, batch, 1);
        let (first, rows) = (start + part.start, part.len());
        let offset = replica * work.rows + first; // index of the first row in tensors [replicas, rows, …]

        let batch_part = Part { replica, first: part.start, rows, batch };
        generator.iter_mut().for_each(|generator| workspace.draw_masks(batch_part, generator));
        let mut stopwatch = Stopwatch::new();
        let inputs = work.plan.inputs();
        let numbers = work.order.as_ref().map(|order| &order[offset..offset + rows]);
        let features_in_order = load(training, work.features, numbers, &(first..first + rows), inputs, workspace);
        stopwatch.add_lap_to(&mut workspace.timing.gather);
        let targets = work.targets[replica].rows(first, rows, columns);
        // there are no rows if the last batch has fewer than the group has members
        let computed =
            workspace.forward_backward(features_in_order.as_ref(), targets, batch_part, loss, weights, this_member);
        let Some((row_losses, row_outputs)) = computed else { return }; // another thread has panicked
        sum += row_losses;
        let outputs = work.outputs.part(offset * columns..(offset + rows) * columns);
        // SAFETY: `FusedCpu` keeps the outputs alive, and each row of a replica belongs to one thread, once per epoch.
        let outputs = unsafe { outputs.get_mut() };
        outputs.copy_from_slice(row_outputs);

        #[cfg(test)]
        crate::train::fused_cpu::tests::on_step(work.stop);
        if member == 0 && work.stop.load(Ordering::Relaxed) {
            group.stop();
        }
        let mut stopwatch = Stopwatch::new();
        if !group.barrier.wait() {
            return; // another thread has panicked, which is reported there
        }
        stopwatch.add_lap_to(&mut workspace.timing.waiting); // all parts of the gradient are ready
        let is_stopped = group.is_stopped(); // constant between the barriers, so all members agree
        // SAFETY: between the barriers each member writes only to its own gradient, and only to its part; the others
        // read other parts.
        let gradient = unsafe { workspace.gradient().part(own_part.clone()).get_mut() };
        for other in others() {
            // SAFETY: as above; the pool keeps the other member's gradient alive, and that member writes to another
            // part of it.
            let other = unsafe { other.part(own_part.clone()).get() };
            gradient.iter_mut().zip(other).for_each(|(gradient, other)| *gradient += other);
        }
        // SAFETY: the caller keeps the values alive, and between the barriers each member writes only to its own part of
        // them, later.
        let values = unsafe { weights.values.part(own_part.clone()).get() };
        work.plan.add_penalty(replica, &own_part, gradient, values);
        if let Some(clip) = work.plan.clips[replica] {
            let norm = || group.norm(member, gradient);
            let Some(limit) = ClipLimit::new(clip, norm) else { return }; // another thread has panicked
            limit.apply(gradient);
        }
        let number = work.step + step as u64 + 1;
        // SAFETY: the caller keeps values and optimizer state alive for the epoch, and between the barriers each member
        // uses only its own part of this replica.
        unsafe {
            work.updates.step(
                replica,
                own_part.clone(),
                gradient,
                settings.lrs[replica],
                settings.momenta[replica],
                number,
            );
        }
        stopwatch.add_lap_to(&mut workspace.timing.optimizer);
        let all_members_stepped = group.barrier.wait();
        stopwatch.add_lap_to(&mut workspace.timing.waiting);
        if !all_members_stepped {
            return; // another thread has panicked, which is reported there
        }
        if (group.first, member) == (0, 0) {
            work.counter.add(work.part);
        }
        if is_stopped && step + 1 < work.steps.len() {
            work.is_incomplete.store(true, Ordering::Relaxed);
            return;
        }
    }
    losses.push((replica, sum));
}

impl OwnedTargets {
    /// Returns the targets of `rows` rows from `start` on.
    fn rows(&self, start: usize, rows: usize, outputs: usize) -> Targets<'_> {
        match self {
            OwnedTargets::Classes(classes) => Targets::Classes(&classes[start..start + rows]),
            OwnedTargets::Values(values) => Targets::Values(&values[start * outputs..(start + rows) * outputs]),
        }
    }
}

/// Reads the targets of a replica: `[rows]` int64 or `[rows, outputs]` f32.
fn read_targets(targets: &Tensor) -> OwnedTargets {
    match targets.kind() {
        Kind::Int64 => OwnedTargets::Classes(Vec::try_from(targets).expect("int64")),
        _ => OwnedTargets::Values(Vec::try_from(targets.contiguous().flatten(0, -1)).expect("f32")),
    }
}
