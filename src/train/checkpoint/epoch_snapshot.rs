//! Copy of parameters, buffers and optimizer state at the end of the last completed epoch. A run that is stopped in the
//! middle of an epoch returns to it.

use tch::Tensor;

use crate::network::arena::Arena;
use crate::network::stack::Stack;
use crate::train::checkpoint::{Checkpoint, State, Tensors, current_tensors};
use crate::train::optimizer::update::Update;
use crate::train::schedule::learning_rates::LearningRates;
use crate::train::state::replica_state::ReplicaStates;

/// State at the end of an epoch.
pub(crate) struct EpochSnapshot {
    epoch: usize,
    steps: u64,
    tensors: Tensors, // named as in `current_tensors`
}

impl EpochSnapshot {
    /// Returns the snapshot before the first epoch, which is epoch 0.
    pub(in crate::train) fn start(stack: &Stack) -> EpochSnapshot {
        EpochSnapshot { epoch: 0, steps: 0, tensors: copy_all(current_tensors(stack, &[])) }
    }

    /// Replaces the snapshot by the current state, at the end of `epoch`.
    pub(in crate::train) fn take(&mut self, epoch: usize, stack: &Stack, update: &Update) {
        let _no_grad = tch::no_grad_guard();
        let current_tensors = current_tensors(stack, update.memory());
        if current_tensors.len() == self.tensors.len() {
            self.tensors
                .iter()
                .zip(&current_tensors)
                .for_each(|((_, saved), (_, current_tensors))| saved.shallow_clone().copy_(current_tensors));
        } else {
            self.tensors = copy_all(current_tensors); // there was no optimizer state before the first step
        }
        (self.epoch, self.steps) = (epoch, update.steps());
    }

    /// Returns the epoch; 0 before the first.
    pub(in crate::train) fn epoch(&self) -> usize {
        self.epoch
    }

    /// Restores the parameters and buffers of one replica.
    pub(in crate::train) fn restore_replica(&self, replica: usize, arena: &Arena) {
        let _no_grad = tch::no_grad_guard();
        let row = |tensor: &Tensor| tensor.get(replica as i64);
        let find = |name: &str| self.tensors.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor);
        let buffers = arena.buffers().iter().map(|buffer| (format!("buffers.{}", buffer.name), &buffer.values));
        for (name, current_tensors) in [("values".to_owned(), arena.values())].into_iter().chain(buffers) {
            row(current_tensors).copy_(&row(find(&name).expect("all that the arena has was taken")));
        }
    }

    /// Returns the checkpoint of the snapshot. `replica_states` and `learning_rates` must not have changed since: they
    /// change only at the end of an epoch.
    pub(in crate::train) fn checkpoint(
        &self,
        learning_rates: &LearningRates,
        replica_states: &ReplicaStates,
        seconds: f64,
    ) -> Checkpoint {
        let state = State {
            epoch: self.epoch,
            steps: self.steps,
            seconds,
            learning_rates: learning_rates.state(),
            replica_states: replica_states.state(),
        };
        let tensors = self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        Checkpoint { state, tensors: tensors.chain(replica_states.kept_weights().named("kept.")).collect() }
    }
}

fn copy_all(tensors: Tensors) -> Tensors {
    tensors.into_iter().map(|(name, tensor)| (name, tensor.detach().copy())).collect()
}
