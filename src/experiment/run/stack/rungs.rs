//! Trains a stack with rungs: at each, the replicas of the configurations that are dropped leave it, and the others continue in
//! a narrower stack.
//!
//! The narrower stack is built and continues from the rows of a checkpoint, as a resumed one does: its parameters,
//! buffers, optimizer state, schedules, early stopping and best weights are those at the rung, and the generators of each
//! epoch follow from seed and epoch. So it does not matter whether training was interrupted before or after a rung. Final
//! weights of all replicas are collected in the whole stack.

use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};
use tch::Tensor;

use crate::data::Target;
use crate::data::prepare::batches::DeviceRows;
use crate::experiment::halving::decision::{Rung, RungTrial};
use crate::experiment::halving::replay::StackTrial;
use crate::experiment::halving::rule::HalvingRule;
use crate::experiment::halving::rung_metric::RungMetric;
use crate::experiment::run::checkpointing::checkpoint_writer::StackKeeper;
use crate::experiment::run::checkpointing::passed_rungs::{EndedReplica, PassedRungs};
use crate::experiment::run::stack::replica::Replica;
use crate::experiment::run::test_metrics::measure;
use crate::history::Status;
use crate::network::arena::Arena;
use crate::network::stack::{Architecture, Stack};
use crate::tensor::select::select_rows;
use crate::train::TrainSpec;
use crate::train::callback::{Callback, EpochReport, ReplicaResult};
use crate::train::checkpoint::Tensors;
use crate::train::fit::{Fitted, fit_until};
use crate::train::task::Task;

/// The whole stack, before a replica has left it.
pub(super) struct WholeStack<'a> {
    pub(super) replicas: &'a [Replica<'a>],
    pub(super) stack: &'a Stack,
    pub(super) task: &'a Task<'a>,
    pub(super) target: Target,
    /// Index of the positive class.
    pub(super) positive: usize,
    pub(super) stop: &'a AtomicBool,
}

impl WholeStack<'_> {
    /// Trains all replicas with the rungs of this rule. Returns their results and the rungs; the whole stack then has their
    /// final weights.
    ///
    /// # Errors
    /// When the checkpoint is of another stack, or the stack of the others cannot be built.
    pub(super) fn train(
        &self,
        rule: &HalvingRule,
        keeper: &mut StackKeeper,
        watch: &mut dyn Callback,
    ) -> anyhow::Result<(Vec<ReplicaResult>, Vec<Rung>)> {
        let metric = RungMetric::parse(&rule.metric)
            .with_context(|| format!("`{}` is not known at the end of each epoch", rule.metric))?;
        let epochs = self.task.settings.epochs;
        let rungs = rule.halving().rungs(epochs);
        let mut passed = self.resume(keeper)?;
        loop {
            let until = rungs.get(passed.rungs.len()).copied().unwrap_or(epochs);
            let Fitted { results, paused } = self.train_live(&passed.live, until, keeper, watch)?;
            let mut results: Vec<(usize, ReplicaResult)> = passed.live.iter().copied().zip(results).collect();
            let Some(checkpoint) = paused else {
                passed.ended.extend(results.into_iter().map(|(replica, result)| EndedReplica { replica, result }));
                break;
            };
            let rung = Rung::decide(rule, until, &self.trials_at(until, &metric, &passed, &results));
            let goes_on = |replica: usize, result: &ReplicaResult| {
                result.status == Status::Dropped && rung.keeps(&self.replicas[replica].plan.variant)
            };
            let places: Vec<usize> =
                (0..results.len()).filter(|&place| goes_on(results[place].0, &results[place].1)).collect();
            passed.live = places.iter().map(|&place| results[place].0).collect();
            results.retain(|(replica, _)| !passed.live.contains(replica));
            passed.ended.extend(results.into_iter().map(|(replica, result)| EndedReplica { replica, result }));
            passed.rungs.push(rung);
            if passed.live.is_empty() {
                break;
            }
            let settings: Vec<&TrainSpec> = passed.live.iter().map(|&replica| self.task.replicas[replica]).collect();
            let ended = self.tensors_of(&passed.ended_replicas());
            keeper.resume_from = Some(checkpoint.select(&places, &settings));
            keeper.rungs = Some((passed.clone(), ended));
        }
        passed.ended.sort_by_key(|ended| ended.replica);
        Ok((passed.ended.into_iter().map(|ended| ended.result).collect(), passed.rungs))
    }

    /// Returns what has happened at the rungs before the checkpoint that the stack is resumed from, and restores the weights
    /// of the replicas that have ended.
    fn resume(&self, keeper: &mut StackKeeper) -> anyhow::Result<PassedRungs> {
        let Some((passed, tensors)) = keeper.rungs.take() else {
            return Ok(PassedRungs::none(self.replicas.len()));
        };
        passed.check(self.replicas.len())?;
        let _no_grad = tch::no_grad_guard();
        let own = self.stack.arena().named_tensors();
        for (name, target) in own.iter().filter(|_| !passed.ended.is_empty()) {
            let found = tensors.iter().find(|(other, _)| other == name).map(|(_, tensor)| tensor);
            let found =
                found.with_context(|| format!("it does not contain `{name}` of the replicas that have ended"))?;
            let is_alike = found.size()[0] == passed.ended.len() as i64
                && found.size()[1..] == target.size()[1..]
                && found.kind() == target.kind();
            ensure!(is_alike, "`{name}` of the replicas that have ended has the shape {:?}", found.size());
            for (place, ended) in passed.ended.iter().enumerate() {
                target.get(ended.replica as i64).copy_(&found.get(place as i64));
            }
        }
        keeper.rungs = Some((passed.clone(), tensors));
        Ok(passed)
    }

    /// Trains the replicas that have not ended, and puts their weights into the whole stack.
    fn train_live(
        &self,
        live: &[usize],
        until: usize,
        keeper: &mut StackKeeper,
        watch: &mut dyn Callback,
    ) -> anyhow::Result<Fitted> {
        if live.len() == self.replicas.len() {
            return fit_until(self.stack, self.task, until, self.stop, keeper, watch);
        }
        let whole = self.task;
        let architectures: Vec<&Architecture> =
            live.iter().map(|&replica| &self.replicas[replica].network.architecture).collect();
        let seeds: Vec<i64> = live.iter().map(|&replica| whole.seeds[replica]).collect();
        let settings: Vec<&TrainSpec> = live.iter().map(|&replica| whole.replicas[replica]).collect();
        let stack = Architecture::build_each(&architectures, &seeds, whole.device)?;
        let training = whole.training.of_replicas(live);
        let validation: Option<DeviceRows> = whole.validation.map(|rows| rows.of_replicas(live));
        let truth = training.of_each_replica(&training.truth, live.len());
        let measure = measure(self.replicas[0].network, &settings, self.target, &truth, self.positive);
        let task = Task {
            replicas: &settings,
            measure: &measure,
            seeds: &seeds,
            training: &training,
            validation: validation.as_ref(),
            ..*whole
        };
        let mut watch = WholeReports { watch, live, replicas: self.replicas.len() };
        let fitted = fit_until(&stack, &task, until, self.stop, keeper, &mut watch)?;
        for (place, &replica) in live.iter().enumerate() {
            self.arena().copy_replica_from(replica, stack.arena(), place);
        }
        Ok(fitted)
    }

    /// Returns the trials of the configurations that were not dropped before, as they are at a rung.
    fn trials_at<'a>(
        &'a self,
        epoch: usize,
        metric: &RungMetric,
        passed: &'a PassedRungs,
        results: &'a [(usize, ReplicaResult)],
    ) -> Vec<RungTrial<'a>> {
        let ended = passed.ended.iter().map(|ended| (ended.replica, &ended.result));
        let all = ended.chain(results.iter().map(|(replica, result)| (*replica, result)));
        let open = all
            .filter(|(replica, _)| passed.rungs.iter().all(|rung| rung.keeps(&self.replicas[*replica].plan.variant)));
        let trial = |(replica, result): (usize, &'a ReplicaResult)| StackTrial {
            configuration: &self.replicas[replica].plan.variant,
            seed: self.task.seeds[replica],
            status: result.status,
            curves: &result.curves,
            monitor: self.task.monitor,
        };
        open.map(|one| trial(one).at(metric, epoch)).collect()
    }

    /// Returns the weights and buffers of these replicas of the whole stack by name.
    fn tensors_of(&self, replicas: &[usize]) -> Tensors {
        let select = |(name, tensor): (String, Tensor)| (name, select_rows(&tensor.detach(), replicas));
        self.arena().named_tensors().into_iter().filter(|_| !replicas.is_empty()).map(select).collect()
    }

    fn arena(&self) -> &Arena {
        self.stack.arena()
    }
}

/// Reports of a part of the replicas, passed on as reports of the whole stack.
struct WholeReports<'a> {
    watch: &'a mut dyn Callback,
    live: &'a [usize],
    replicas: usize,
}

impl WholeReports<'_> {
    /// Returns the values of the live replicas in their places, and `other` in all others.
    fn spread<T: Copy>(&self, values: &[T], other: T) -> Vec<T> {
        let mut all = vec![other; self.replicas];
        self.live.iter().zip(values).for_each(|(&replica, &value)| all[replica] = value);
        all
    }
}

impl Callback for WholeReports<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        let metrics = report.metrics.iter();
        let whole = EpochReport {
            metrics: metrics.map(|(name, values)| (name.clone(), self.spread(values, f64::NAN))).collect(),
            trained: self.spread(&report.trained, false),
            training: self.spread(&report.training, false),
            ..*report
        };
        self.watch.epoch(&whole);
    }

    fn inner(&mut self) -> Option<&mut dyn Callback> {
        Some(&mut *self.watch)
    }
}
