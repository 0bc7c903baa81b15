//! State of each replica during training: its curves, its best epoch, how it ended, and the weights to restore at the
//! end.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::history::Status;
use crate::history::curves::Curves;
use crate::history::number::Number;
use crate::network::arena::Snapshot;
use crate::network::stack::Stack;
use crate::train::TrainSpec;
use crate::train::callback::{Callback, EpochReport, ReplicaResult};
use crate::train::kept_weights::Keep;
use crate::train::regularize::early_stopping::{Patience, PatienceState};
use crate::train::task::Task;

/// State of all replicas.
pub struct ReplicaStates<'a> {
    settings: &'a TrainSpec,
    monitor: &'a str,
    higher_is_better: bool,
    stopping: Vec<Option<Stopping<'a>>>, // of each replica
    state: State,                        // without that of `stopping`
    kept_weights: Snapshot,              // of the replicas with `kept`
}

/// State of all replicas at the end of an epoch, without the kept weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    #[serde(rename = "outcomes")]
    results: Vec<ReplicaResult>,
    training: Vec<bool>,
    best: Vec<Option<Number>>,
    kept: Vec<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopping: Option<Vec<Option<PatienceState>>>, // of each replica, if one of them may stop early
}

impl State {
    /// Returns the curves of each replica.
    pub fn curves(&self) -> impl Iterator<Item = &Curves> {
        self.results.iter().map(|result| &result.curves)
    }

    /// Returns the state of these replicas, by index, in this order.
    pub(crate) fn select(&self, replicas: &[usize]) -> State {
        let each = || replicas.iter().copied();
        let waits = self.stopping.as_ref().map(|waits| each().map(|replica| waits[replica]).collect::<Vec<_>>());
        State {
            results: each().map(|replica| self.results[replica].clone()).collect(),
            training: each().map(|replica| self.training[replica]).collect(),
            best: each().map(|replica| self.best[replica]).collect(),
            kept: each().map(|replica| self.kept[replica]).collect(),
            stopping: waits.filter(|waits| waits.iter().any(Option::is_some)),
        }
    }
}

/// Early stopping of a replica.
struct Stopping<'a> {
    monitor: &'a str,
    wait: Patience,
}

impl<'a> ReplicaStates<'a> {
    pub(crate) fn new(stack: &Stack, task: &Task<'a>) -> Self {
        let (settings, replicas) = (task.settings, task.seeds.len());
        let (monitor, higher_is_better) = task.monitor;
        let stopping = |settings: &&'a TrainSpec| {
            let stopping = settings.early_stopping.as_ref()?;
            let monitor = stopping.monitor.as_deref().unwrap_or(monitor);
            Some(Stopping { monitor, wait: Patience::new(stopping, task.higher_is_better(monitor)) })
        };
        let stopping = task.replicas.iter().map(stopping).collect();
        // Interrupted, unless it ends otherwise.
        let result = ReplicaResult { status: Status::Interrupted, curves: Curves::default(), best_epoch: None };
        ReplicaStates {
            settings,
            monitor,
            higher_is_better,
            stopping,
            state: State {
                results: vec![result; replicas],
                training: vec![true; replicas],
                best: vec![None; replicas],
                kept: vec![false; replicas],
                stopping: None,
            },
            kept_weights: stack.arena().snapshot(),
        }
    }

    /// Returns the state without the kept weights.
    pub(crate) fn state(&self) -> State {
        let waits: Vec<_> = self.stopping.iter().map(|stopping| Some(stopping.as_ref()?.wait.state)).collect();
        State { stopping: waits.iter().any(Option::is_some).then_some(waits), ..self.state.clone() }
    }

    /// Checks that training can resume from a state after this epoch.
    ///
    /// # Errors
    /// When the state belongs to another training or is inconsistent.
    pub(crate) fn check(&self, state: &State, epoch: usize) -> anyhow::Result<()> {
        let replicas = self.state.training.len();
        let lengths = [state.results.len(), state.training.len(), state.best.len(), state.kept.len()];
        ensure!(lengths == [replicas; 4], "number of replicas must be {replicas}, found {}", lengths[0]);
        let none = vec![None; replicas];
        let waits = state.stopping.as_ref().unwrap_or(&none);
        let (found, wanted) = (waits.iter().map(Option::is_some), self.stopping.iter().map(Option::is_some));
        ensure!(
            found.clone().eq(wanted.clone()),
            "number of replicas with early stopping must be {}, found {}",
            wanted.filter(|stops| *stops).count(),
            found.filter(|stops| *stops).count()
        );
        let mut waits = waits.iter().flatten();
        ensure!(waits.all(|state| state.is_possible_at(epoch)), "early stopping has counted more than {epoch} epochs");
        let last = self.settings.epochs;
        ensure!((1..=last).contains(&epoch), "epoch must be between 1 and {last}, found {epoch}");
        for (replica, result) in state.results.iter().enumerate() {
            let curves = &result.curves;
            let is_complete = curves.epoch.iter().copied().eq(1..=curves.len())
                && curves.series.values().all(|series| series.len() == curves.len())
                && (curves.len() == epoch || !state.training[replica] && curves.len() < epoch)
                && result.best_epoch.is_none_or(|best| (1..=curves.len()).contains(&best));
            ensure!(is_complete, "the curves of replica {replica} are not complete up to epoch {epoch}");
        }
        Ok(())
    }

    /// Restores a state. The caller restores the kept weights.
    pub(crate) fn restore(&mut self, state: &State) {
        self.state = State { stopping: None, ..state.clone() };
        let waits = state.stopping.iter().flatten().flatten();
        self.stopping.iter_mut().flatten().zip(waits).for_each(|(stopping, waited)| stopping.wait.state = *waited);
    }

    /// Stops the replicas whose patience is over. A run that ended in this epoch did not stop them: it was its last one.
    pub(crate) fn stop_without_patience(&mut self, stack: &Stack) {
        for replica in 0..self.state.training.len() {
            let is_over = self.stopping[replica].as_ref().is_some_and(|stopping| stopping.wait.is_over());
            if is_over && self.state.training[replica] {
                self.stop(stack, replica, Status::EarlyStopped);
            }
        }
    }

    /// Returns the kept weights; they are valid for replicas with `kept`.
    pub(crate) fn kept_weights(&self) -> &Snapshot {
        &self.kept_weights
    }

    /// Returns the number of epochs to train.
    pub(crate) fn epochs(&self) -> usize {
        self.settings.epochs
    }

    /// Returns whether any replica still trains.
    pub(crate) fn is_training(&self) -> bool {
        self.state.training.contains(&true)
    }

    /// Returns whether each replica still trains.
    pub(crate) fn training(&self) -> &[bool] {
        &self.state.training
    }

    /// Records an epoch of every replica that still trains.
    ///
    /// `metrics` and `lrs` have a value for each replica; `finite` says whether all its weights are finite.
    #[expect(clippy::too_many_arguments, reason = "all that an epoch has shown")]
    pub(crate) fn record(
        &mut self,
        stack: &Stack,
        epoch: usize,
        mut metrics: Vec<(String, Vec<f64>)>,
        finite: &[bool],
        lrs: &[f64],
        seconds: f64,
        callback: &mut dyn Callback,
    ) {
        let trained = self.state.training.clone();
        for replica in (0..trained.len()).filter(|&replica| trained[replica]) {
            let mut row: Vec<(&str, f64)> =
                metrics.iter().map(|(name, values)| (name.as_str(), values[replica])).collect();
            let value_of = |monitor: &str| row.iter().find(|(name, _)| *name == monitor).map(|(_, value)| *value);
            let diverged =
                !finite[replica] || row.iter().any(|(name, value)| name.ends_with("loss") && !value.is_finite());
            if !diverged && self.is_best(replica, value_of(self.monitor)) {
                self.state.results[replica].best_epoch = Some(epoch);
                if self.settings.keep == Keep::Best {
                    self.keep(stack, replica);
                }
            }
            let stopped = self.is_stopped(replica, value_of) && epoch < self.settings.epochs;
            if diverged || stopped {
                self.stop(stack, replica, if diverged { Status::Diverged } else { Status::EarlyStopped });
            }
            row.extend([("lr", lrs[replica]), ("seconds", seconds)]);
            self.state.results[replica].curves.push(epoch, &row);
        }
        let training = self.state.training.clone();
        metrics.push(("lr".to_owned(), lrs.to_vec())); // as in the curves
        callback.epoch(&EpochReport { epoch, epochs: self.settings.epochs, metrics, seconds, trained, training });
    }

    /// Returns whether this is the best value so far, and records it.
    fn is_best(&mut self, replica: usize, value: Option<f64>) -> bool {
        let Some(value) = value.filter(|value| value.is_finite()) else { return false };
        let better = |best: f64| if self.higher_is_better { value > best } else { value < best };
        let is_best = self.state.best[replica].is_none_or(|best| better(best.0));
        if is_best {
            self.state.best[replica] = Some(Number(value));
        }
        is_best
    }

    /// Returns whether early stopping ends this replica now.
    fn is_stopped(&mut self, replica: usize, value_of: impl Fn(&str) -> Option<f64>) -> bool {
        let Some(stopping) = &mut self.stopping[replica] else { return false };
        value_of(stopping.monitor).is_some_and(|value| stopping.wait.should_stop(value))
    }

    /// Ends a replica with this status while the others continue.
    fn stop(&mut self, stack: &Stack, replica: usize, status: Status) {
        self.state.results[replica].status = status;
        self.state.training[replica] = false;
        if !self.state.kept[replica] {
            self.keep(stack, replica); // its row continues to change with the stack
        }
    }

    /// Keeps a replica's current weights.
    fn keep(&mut self, stack: &Stack, replica: usize) {
        self.kept_weights.copy_replica(replica, stack.arena());
        self.state.kept[replica] = true;
    }

    /// Ends the replicas that still train with this status, and restores kept weights. If training was interrupted,
    /// `restore_replica` is called for the others, to restore their last completed epoch.
    pub(crate) fn end(mut self, stack: &Stack, status: Status, restore_replica: impl Fn(usize)) -> Vec<ReplicaResult> {
        for (replica, result) in self.state.results.iter_mut().enumerate() {
            if self.state.training[replica] {
                result.status = status;
            }
            if self.state.kept[replica] {
                stack.arena().restore(replica, &self.kept_weights);
            } else if status == Status::Interrupted {
                restore_replica(replica); // training stopped in the middle of an epoch
            }
        }
        self.state.results
    }
}
