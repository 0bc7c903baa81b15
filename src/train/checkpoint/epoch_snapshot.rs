//! What changes in the middle of an epoch, as it was at the end of the last one: a run that is stopped in the middle goes
//! back to it.

use tch::Tensor;

use crate::network::arena::Arena;
use crate::network::stack::Stack;
use crate::train::checkpoint::{Checkpoint, State, Tensors, now};
use crate::train::optimizer::update::Update;
use crate::train::schedule::learning_rates::LearningRates;
use crate::train::state::replica_state::Progress;

/// The end of an epoch.
pub(crate) struct EpochSnapshot {
    epoch: usize,
    steps: u64,
    tensors: Tensors, // as `now` names them
}

impl EpochSnapshot {
    /// Before the first epoch.
    pub(in crate::train) fn start(stack: &Stack) -> EpochSnapshot {
        EpochSnapshot { epoch: 0, steps: 0, tensors: copies(now(stack, &[])) }
    }

    /// Takes the end of this epoch in its place.
    pub(in crate::train) fn take(&mut self, epoch: usize, stack: &Stack, update: &Update) {
        let _no_grad = tch::no_grad_guard();
        let now = now(stack, update.memory());
        if now.len() == self.tensors.len() {
            self.tensors.iter().zip(&now).for_each(|((_, then), (_, now))| then.shallow_clone().copy_(now));
        } else {
            self.tensors = copies(now); // there was no memory before the first step
        }
        (self.epoch, self.steps) = (epoch, update.steps());
    }

    /// The epoch; 0 before the first.
    pub(in crate::train) fn epoch(&self) -> usize {
        self.epoch
    }

    /// One replica's parameters and buffers as they were.
    pub(in crate::train) fn put_back(&self, replica: usize, arena: &Arena) {
        let _no_grad = tch::no_grad_guard();
        let row = |tensor: &Tensor| tensor.get(replica as i64);
        let find = |name: &str| self.tensors.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor);
        let buffers = arena.buffers().iter().map(|buffer| (format!("buffers.{}", buffer.name), &buffer.values));
        for (name, now) in [("values".to_owned(), arena.values())].into_iter().chain(buffers) {
            row(now).copy_(&row(find(&name).expect("all that the arena has was taken")));
        }
    }

    /// The checkpoint of it. `progress` and `course` change at the end of an epoch alone.
    pub(in crate::train) fn checkpoint(&self, course: &LearningRates, progress: &Progress, seconds: f64) -> Checkpoint {
        let state =
            State { epoch: self.epoch, steps: self.steps, seconds, course: course.state(), progress: progress.state() };
        let tensors = self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        Checkpoint { state, tensors: tensors.chain(progress.kept_weights().named("kept.")).collect() }
    }
}

fn copies(tensors: Tensors) -> Tensors {
    tensors.into_iter().map(|(name, tensor)| (name, tensor.detach().copy())).collect()
}
