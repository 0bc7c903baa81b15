//! What is known of each replica while a stack trains: its curves, its best epoch, how it ended, and the weights that
//! it is to end with.

use crate::history::Status;
use crate::history::curves::Curves;
use crate::network::arena::Snapshot;
use crate::network::stack::Stack;
use crate::train::early_stopping::Wait;
use crate::train::fit::{EpochReport, Outcome, Task, Watch};
use crate::train::{Keep, TrainSpec};

/// The progress of every replica.
pub(super) struct Progress<'a> {
    settings: &'a TrainSpec,
    monitor: &'a str,
    higher_is_better: bool,
    stopping: Option<Stopping<'a>>,
    outcomes: Vec<Outcome>,
    training: Vec<bool>,
    best: Vec<Option<f64>>,
    kept: Vec<bool>,
    kept_weights: Snapshot, // of the replicas that `kept` says
    whole_epoch: Snapshot,  // of every replica, at the end of the last epoch that was completed
}

/// The waits of early stopping, one for each replica.
struct Stopping<'a> {
    monitor: &'a str,
    waits: Vec<Wait>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(stack: &Stack, task: &Task<'a>) -> Self {
        let (settings, replicas) = (task.settings, task.seeds.len());
        let (monitor, higher_is_better) = task.monitor;
        let stopping = settings.early_stopping.as_ref().map(|stopping| {
            let monitor = stopping.monitor.as_deref().unwrap_or(monitor);
            Stopping { monitor, waits: vec![Wait::new(stopping, task.higher_is_better(monitor)); replicas] }
        });
        // interrupted, until it has ended some other way
        let outcome = Outcome { status: Status::Interrupted, curves: Curves::default(), best_epoch: None };
        Progress {
            settings,
            monitor,
            higher_is_better,
            stopping,
            outcomes: vec![outcome; replicas],
            training: vec![true; replicas],
            best: vec![None; replicas],
            kept: vec![false; replicas],
            kept_weights: stack.arena().snapshot(),
            whole_epoch: stack.arena().snapshot(),
        }
    }

    /// Which replicas still train.
    pub(super) fn training(&self) -> &[bool] {
        &self.training
    }

    /// Takes an epoch down for every replica that still trains; says whether any goes on.
    ///
    /// `metrics` and `lrs` have a value for each replica, and `finite` says whether its weights are finite numbers.
    #[expect(clippy::too_many_arguments, reason = "all that an epoch has shown")]
    pub(super) fn record(
        &mut self,
        stack: &Stack,
        epoch: usize,
        mut metrics: Vec<(String, Vec<f64>)>,
        finite: &[bool],
        lrs: &[f64],
        seconds: f64,
        watch: &mut dyn Watch,
    ) -> bool {
        let trained = self.training.clone();
        for replica in (0..trained.len()).filter(|&replica| trained[replica]) {
            let mut row: Vec<(&str, f64)> =
                metrics.iter().map(|(name, values)| (name.as_str(), values[replica])).collect();
            let value_of = |monitor: &str| row.iter().find(|(name, _)| *name == monitor).map(|(_, value)| *value);
            let diverged =
                !finite[replica] || row.iter().any(|(name, value)| name.ends_with("loss") && !value.is_finite());
            if !diverged && self.is_best(replica, value_of(self.monitor)) {
                self.outcomes[replica].best_epoch = Some(epoch);
                if self.settings.keep == Keep::Best {
                    self.keep(stack, replica);
                }
            }
            let stopped = self.is_stopped(replica, value_of) && epoch < self.settings.epochs;
            if diverged || stopped {
                self.outcomes[replica].status = if diverged { Status::Diverged } else { Status::EarlyStopped };
                self.training[replica] = false;
                if !self.kept[replica] {
                    self.keep(stack, replica); // as it stands: its row goes on with the stack
                }
            }
            row.extend([("lr", lrs[replica]), ("seconds", seconds)]);
            self.outcomes[replica].curves.push(epoch, &row);
        }
        self.whole_epoch = stack.arena().snapshot();
        let training = self.training.clone();
        let goes_on = training.contains(&true);
        metrics.push(("lr".to_owned(), lrs.to_vec())); // as in the curves
        watch.epoch(&EpochReport { epoch, epochs: self.settings.epochs, metrics, seconds, trained, training });
        goes_on
    }

    /// Whether this is the best value so far, which it then is from now on.
    fn is_best(&mut self, replica: usize, value: Option<f64>) -> bool {
        let Some(value) = value.filter(|value| value.is_finite()) else { return false };
        let better = |best: f64| if self.higher_is_better { value > best } else { value < best };
        let is_best = self.best[replica].is_none_or(better);
        if is_best {
            self.best[replica] = Some(value);
        }
        is_best
    }

    /// Whether early stopping ends this replica now.
    fn is_stopped(&mut self, replica: usize, value_of: impl Fn(&str) -> Option<f64>) -> bool {
        let Some(stopping) = &mut self.stopping else { return false };
        value_of(stopping.monitor).is_some_and(|value| stopping.waits[replica].is_over(value))
    }

    /// Sets a replica's weights aside as they stand.
    fn keep(&mut self, stack: &Stack, replica: usize) {
        self.kept_weights.copy_replica(replica, stack.arena());
        self.kept[replica] = true;
    }

    /// Ends the replicas that still train with this status, and puts back the weights that were set aside.
    pub(super) fn end(mut self, stack: &Stack, status: Status) -> Vec<Outcome> {
        for (replica, outcome) in self.outcomes.iter_mut().enumerate() {
            if self.training[replica] {
                outcome.status = status;
            }
            if self.kept[replica] {
                stack.arena().restore(replica, &self.kept_weights);
            } else if status == Status::Interrupted {
                stack.arena().restore(replica, &self.whole_epoch); // not from the middle of an epoch
            }
        }
        self.outcomes
    }
}
