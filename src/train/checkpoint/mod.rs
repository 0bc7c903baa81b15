//! Checkpoints: everything that training needs to continue after an epoch as if it had not been interrupted.
//!
//! The randomness of an epoch depends only on the seed and the epoch's number ([`crate::tensor::seed`]), so a
//! checkpoint stores the state at the end of an epoch: parameters, buffers, the optimizer's state, the state of the
//! schedule and of early stopping, the best weights, and the curves of each replica. The [`Checkpointer`] adds what the
//! training loop does not know: which trials these are and on which device they run.
//!
//! [`mod@file`] is the file format, with a checksum. `experiment::run::checkpointing` writes and reads the files.

pub(super) mod epoch_snapshot;
pub mod file;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::network::stack::Stack;
use crate::tensor::select::select_rows;
use crate::train::TrainSpec;
use crate::train::optimizer::update::Update;
use crate::train::schedule::learning_rates::{self, LearningRates};
use crate::train::state::replica_state::{self, ReplicaStates};

/// Beginning of the names of the optimizer's state.
const MEMORY: &str = "memory.";

/// State of training at the end of an epoch, without tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Number of steps taken.
    pub steps: u64,
    /// Duration of training so far, in seconds.
    pub seconds: f64,
    /// State of the learning rates.
    #[serde(rename = "course")]
    pub learning_rates: learning_rates::State,
    /// State of each replica.
    #[serde(rename = "progress")]
    pub replica_states: replica_state::State,
}

/// Tensors by name: `values`, `memory.0`, `buffers.1.running_mean`, `kept.values`, …
pub type Tensors = Vec<(String, Tensor)>;

/// State of training at the end of an epoch.
#[derive(Debug)]
pub struct Checkpoint {
    /// Everything but the tensors.
    pub state: State,
    /// The tensors, each `[replicas, …]`.
    pub tensors: Tensors,
}

/// Saves checkpoints of a training, and provides the one from which it resumes.
pub trait Checkpointer {
    /// Returns the checkpoint from which training resumes, if any.
    fn resume_from(&mut self) -> Option<Checkpoint> {
        None
    }

    /// Returns whether a checkpoint is to be saved at the end of this epoch.
    fn is_due(&mut self, _epoch: usize) -> bool {
        false
    }

    /// Saves a checkpoint. If that fails, training continues; a warning for the user is returned.
    fn keep(&mut self, _checkpoint: &Checkpoint) -> Option<String> {
        None
    }

    /// Saves a checkpoint when training is interrupted. It is the last attempt.
    fn keep_last(&mut self, _checkpoint: &Checkpoint) -> Option<String> {
        None
    }

    /// Saves a checkpoint at the end of training, from which a run with more epochs can continue. If that fails, a
    /// warning for the user is returned.
    fn keep_final(&mut self, _checkpoint: &Checkpoint) -> Option<String> {
        None
    }
}

/// Saves nothing.
impl Checkpointer for () {}

impl Checkpoint {
    /// Returns the checkpoint of these replicas, by index, in this order: rows of all tensors. `settings` are those of the
    /// replicas.
    pub fn select(&self, replicas: &[usize], settings: &[&TrainSpec]) -> Checkpoint {
        let memory = settings.iter().map(|settings| settings.starting_optimizer().memory().0).max().unwrap_or_default();
        // a momentum that only others have
        let is_used = |name: &str| {
            let slot = name.strip_prefix(MEMORY).and_then(|slot| slot.parse::<usize>().ok());
            slot.is_none_or(|slot| slot < memory)
        };
        let tensors = self.tensors.iter().filter(|(name, _)| is_used(name));
        Checkpoint {
            state: State {
                learning_rates: self.state.learning_rates.select(replicas),
                replica_states: self.state.replica_states.select(replicas),
                ..self.state.clone()
            },
            tensors: tensors.map(|(name, tensor)| (name.clone(), select_rows(tensor, replicas))).collect(),
        }
    }

    /// Restores the state of training.
    ///
    /// # Errors
    /// When the checkpoint belongs to another network, optimizer or number of replicas, or is inconsistent; nothing is
    /// then changed.
    pub(super) fn restore(
        &self,
        stack: &Stack,
        update: &mut Update,
        learning_rates: &mut LearningRates,
        replica_states: &mut ReplicaStates,
    ) -> anyhow::Result<()> {
        let names: Vec<&str> = self.tensors.iter().map(|(name, _)| name.as_str()).collect();
        ensure!(self.state.steps > 0, "number of steps must be at least 1, found {}", self.state.steps);
        let max_steps = learning_rates.steps_until(self.state.epoch);
        ensure!(
            self.state.steps <= max_steps as u64,
            "number of steps must be at most {max_steps} at the end of epoch {}, found {}",
            self.state.epoch,
            self.state.steps
        );
        ensure!(
            self.state.seconds.is_finite() && self.state.seconds >= 0.0,
            "duration must be at least 0 s, found {} s",
            self.state.seconds
        );
        let memory = update.memory_like(stack.arena().values());
        let kept = replica_states.kept_weights().named("kept.");
        let targets: Tensors = current_tensors(stack, &memory).into_iter().chain(kept).collect();
        if let Some(unknown) = names.iter().find(|name| targets.iter().all(|(known, _)| known != *name)) {
            bail!("it contains `{unknown}`, which this training does not have");
        }
        let found: Vec<&Tensor> =
            targets.iter().map(|(name, like)| self.tensor(name, like)).collect::<Result<_, _>>()?;
        replica_states.check(&self.state.replica_states, self.state.epoch)?;
        learning_rates.restore(&self.state.learning_rates)?;
        replica_states.restore(&self.state.replica_states);
        update.restore(self.state.steps, memory);
        let _no_grad = tch::no_grad_guard();
        for ((_, target), found) in targets.iter().zip(found) {
            target.shallow_clone().copy_(found);
        }
        if self.state.epoch < replica_states.epochs() {
            replica_states.stop_without_patience(stack);
        }
        Ok(())
    }

    /// Returns the tensor called `name`, which must have the type and shape of `like`.
    fn tensor(&self, name: &str, like: &Tensor) -> anyhow::Result<&Tensor> {
        let (_, found) = self
            .tensors
            .iter()
            .find(|(known, _)| known == name)
            .with_context(|| format!("it does not contain `{name}`"))?;
        let shown = |tensor: &Tensor| format!("{:?} {:?}", tensor.kind(), tensor.size());
        ensure!(
            found.kind() == like.kind() && found.size() == like.size(),
            "`{name}` must be {}, found {}",
            shown(like),
            shown(found)
        );
        Ok(found)
    }
}

/// Returns the tensors that change during an epoch: parameters, buffers and the optimizer's state.
fn current_tensors(stack: &Stack, memory: &[Tensor]) -> Tensors {
    let mut named = vec![("values".to_owned(), stack.arena().values().shallow_clone())];
    named.extend(memory.iter().enumerate().map(|(place, memory)| (format!("{MEMORY}{place}"), memory.shallow_clone())));
    let buffers = stack.arena().buffers().iter();
    named.extend(buffers.map(|buffer| (format!("buffers.{}", buffer.name), buffer.values.shallow_clone())));
    named
}
