//! What is known of each replica while a stack trains: its curves, its best epoch, how it ended, and the weights that
//! it is to end with.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::history::Status;
use crate::history::curves::Curves;
use crate::history::number::Number;
use crate::network::arena::Snapshot;
use crate::network::stack::Stack;
use crate::train::TrainSpec;
use crate::train::keep::Keep;
use crate::train::regularize::early_stopping::{Wait, Waited};
use crate::train::report::{EpochReport, Outcome, Watch};
use crate::train::task::Task;

/// The progress of every replica.
pub struct Progress<'a> {
    settings: &'a TrainSpec,
    monitor: &'a str,
    higher_is_better: bool,
    stopping: Option<Stopping<'a>>,
    outcomes: Vec<Outcome>,
    training: Vec<bool>,
    best: Vec<Option<f64>>,
    kept: Vec<bool>,
    kept_weights: Snapshot, // of the replicas that `kept` says
}

/// What is known of each replica at the end of an epoch, but for the weights that were set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    outcomes: Vec<Outcome>,
    training: Vec<bool>,
    best: Vec<Option<Number>>,
    kept: Vec<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopping: Option<Vec<Waited>>,
}

/// The waits of early stopping, one for each replica.
struct Stopping<'a> {
    monitor: &'a str,
    waits: Vec<Wait>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(stack: &Stack, task: &Task<'a>) -> Self {
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
        }
    }

    /// What is known, but for the weights.
    pub(crate) fn state(&self) -> State {
        State {
            outcomes: self.outcomes.clone(),
            training: self.training.clone(),
            best: self.best.iter().map(|best| best.map(Number)).collect(),
            kept: self.kept.clone(),
            stopping: self.stopping.as_ref().map(|stopping| stopping.waits.iter().map(Wait::waited).collect()),
        }
    }

    /// Checks that training can go on from there, behind this epoch.
    ///
    /// # Errors
    /// When it is of another training, or contradicts itself.
    pub(crate) fn check(&self, state: &State, epoch: usize) -> anyhow::Result<()> {
        let replicas = self.training.len();
        let lengths = [state.outcomes.len(), state.training.len(), state.best.len(), state.kept.len()];
        ensure!(lengths == [replicas; 4], "it is of {} replicas, and there are {replicas}", lengths[0]);
        let waits = |stopping: Option<usize>| stopping.unwrap_or_default();
        let (found, wanted) =
            (state.stopping.as_ref().map(Vec::len), self.stopping.as_ref().map(|stopping| stopping.waits.len()));
        ensure!(found == wanted, "{} replicas wait to be stopped early, and there are {}", waits(found), waits(wanted));
        let mut waits = state.stopping.iter().flatten();
        ensure!(waits.all(|waited| waited.can_be_of(epoch)), "early stopping has waited for more than {epoch} epochs");
        let most = self.settings.epochs;
        ensure!((1..=most).contains(&epoch), "it is of epoch {epoch}, and there are {most}");
        for (replica, outcome) in state.outcomes.iter().enumerate() {
            let curves = &outcome.curves;
            let is_whole = curves.epoch.iter().copied().eq(1..=curves.len())
                && curves.series.values().all(|series| series.len() == curves.len())
                && (curves.len() == epoch || !state.training[replica] && curves.len() < epoch)
                && outcome.best_epoch.is_none_or(|best| (1..=curves.len()).contains(&best));
            ensure!(is_whole, "the curves of replica {replica} are not those of {epoch} epochs");
        }
        Ok(())
    }

    /// Goes on from there; the weights that were set aside are put back by whoever has them.
    pub(crate) fn restore(&mut self, state: &State) {
        self.outcomes.clone_from(&state.outcomes);
        self.training.clone_from(&state.training);
        self.best = state.best.iter().map(|best| best.map(|number| number.0)).collect();
        self.kept.clone_from(&state.kept);
        let waits = self.stopping.iter_mut().flat_map(|stopping| &mut stopping.waits);
        waits.zip(state.stopping.iter().flatten()).for_each(|(wait, waited)| wait.go_on(*waited));
    }

    /// The weights that were set aside, of those replicas of which some were.
    pub(crate) fn kept_weights(&self) -> &Snapshot {
        &self.kept_weights
    }

    /// Whether any replica still trains.
    pub(crate) fn goes_on(&self) -> bool {
        self.training.contains(&true)
    }

    /// Which replicas still train.
    pub(crate) fn training(&self) -> &[bool] {
        &self.training
    }

    /// Takes an epoch down for every replica that still trains.
    ///
    /// `metrics` and `lrs` have a value for each replica, and `finite` says whether its weights are finite numbers.
    #[expect(clippy::too_many_arguments, reason = "all that an epoch has shown")]
    pub(crate) fn record(
        &mut self,
        stack: &Stack,
        epoch: usize,
        mut metrics: Vec<(String, Vec<f64>)>,
        finite: &[bool],
        lrs: &[f64],
        seconds: f64,
        watch: &mut dyn Watch,
    ) {
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
        let training = self.training.clone();
        metrics.push(("lr".to_owned(), lrs.to_vec())); // as in the curves
        watch.epoch(&EpochReport { epoch, epochs: self.settings.epochs, metrics, seconds, trained, training });
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

    /// Ends the replicas that still train with this status, and puts back the weights that were set aside, or, where
    /// training was interrupted, those of the last whole epoch, by `put_back`, which is called with the replica.
    pub(crate) fn end(mut self, stack: &Stack, status: Status, put_back: impl Fn(usize)) -> Vec<Outcome> {
        for (replica, outcome) in self.outcomes.iter_mut().enumerate() {
            if self.training[replica] {
                outcome.status = status;
            }
            if self.kept[replica] {
                stack.arena().restore(replica, &self.kept_weights);
            } else if status == Status::Interrupted {
                put_back(replica); // not from the middle of an epoch
            }
        }
        self.outcomes
    }
}
