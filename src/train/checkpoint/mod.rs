//! Checkpoints: all that training needs to go on behind an epoch as if it had never been stopped.
//!
//! An epoch's randomness follows from the seed and the epoch's number alone ([`crate::tensor::seed`]), so what is kept is the
//! end of an epoch: parameters and buffers, what the optimizer remembers, where the schedule and early stopping stand,
//! the best weights, and the curves so far, of each replica. What the training loop does not say of itself, which
//! trials these are and what they run on, is said by the one who keeps it ([`Keeper`]).
//!
//! [`mod@file`] lays a checkpoint out as bytes, with a checksum.

pub(super) mod epoch_snapshot;
pub mod file;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::network::stack::Stack;
use crate::train::optimizer::update::Update;
use crate::train::schedule::learning_rates::{self, LearningRates};
use crate::train::state::replica_state::{self, Progress};

/// Where training stood at the end of an epoch, but for its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The epoch, from 1.
    pub epoch: usize,
    /// How many steps there were.
    pub steps: u64,
    /// How long training took so far, seconds.
    pub seconds: f64,
    /// The learning rates.
    pub course: learning_rates::State,
    /// What is known of each replica.
    pub progress: replica_state::State,
}

/// Tensors by their names: `values`, `memory.0`, `buffers.1.running_mean`, `kept.values`, …
pub type Tensors = Vec<(String, Tensor)>;

/// Where training stood at the end of an epoch.
#[derive(Debug)]
pub struct Checkpoint {
    /// All but the tensors.
    pub state: State,
    /// The tensors, each `[replicas, …]`.
    pub tensors: Tensors,
}

/// Who keeps checkpoints of a training, and has the one that it goes on from.
pub trait Keeper {
    /// The checkpoint that training goes on from.
    fn resumes_from(&mut self) -> Option<Checkpoint>;

    /// Whether the end of this epoch is to be kept.
    fn is_due(&mut self, epoch: usize) -> bool;

    /// Keeps where training stands. Training goes on where that fails; what is to be said of it, if anything, comes back.
    fn keep(&mut self, checkpoint: &Checkpoint) -> Option<String>;

    /// Keeps where training stands as it is stopped: there will be no further try.
    fn keep_last(&mut self, checkpoint: &Checkpoint) -> Option<String>;
}

/// Keeps nothing.
impl Keeper for () {
    fn resumes_from(&mut self) -> Option<Checkpoint> {
        None
    }

    fn is_due(&mut self, _epoch: usize) -> bool {
        false
    }

    fn keep(&mut self, _checkpoint: &Checkpoint) -> Option<String> {
        None
    }

    fn keep_last(&mut self, _checkpoint: &Checkpoint) -> Option<String> {
        None
    }
}

impl Checkpoint {
    /// Puts training back to where it stood.
    ///
    /// # Errors
    /// When the checkpoint is of another network, optimizer or number of replicas, or contradicts itself; nothing has
    /// changed then.
    pub(super) fn restore(
        &self,
        stack: &Stack,
        update: &mut Update,
        course: &mut LearningRates,
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        let names: Vec<&str> = self.tensors.iter().map(|(name, _)| name.as_str()).collect();
        ensure!(self.state.steps > 0, "it has taken {} steps", self.state.steps);
        let most = course.steps_until(self.state.epoch);
        ensure!(
            self.state.steps <= most as u64,
            "it has taken {} steps, and epoch {} ends at step {most}",
            self.state.steps,
            self.state.epoch
        );
        ensure!(self.state.seconds.is_finite() && self.state.seconds >= 0.0, "it took {} s", self.state.seconds);
        let memory = update.memory_like(stack.arena().values());
        let wanted = places(stack, &memory);
        if let Some(unknown) = names.iter().find(|name| wanted.iter().all(|(known, _)| known != *name)) {
            bail!("it holds `{unknown}`, which training does not have");
        }
        let found: Vec<&Tensor> =
            wanted.iter().map(|(name, like)| self.tensor(name, like)).collect::<Result<_, _>>()?;
        progress.check(&self.state.progress, self.state.epoch)?;
        course.restore(&self.state.course)?;
        progress.restore(&self.state.progress);
        update.restore(self.state.steps, memory.iter().map(Tensor::shallow_clone).collect());
        let kept = progress.kept_weights();
        let places = now(stack, &memory).into_iter().chain(kept.named("kept."));
        let _no_grad = tch::no_grad_guard();
        for ((_, place), found) in places.zip(found) {
            place.shallow_clone().copy_(found);
        }
        Ok(())
    }

    /// The tensor of this name, of the type and shape of another.
    fn tensor(&self, name: &str, like: &Tensor) -> anyhow::Result<&Tensor> {
        let (_, found) =
            self.tensors.iter().find(|(known, _)| known == name).with_context(|| format!("it lacks `{name}`"))?;
        let shown = |tensor: &Tensor| format!("{:?} {:?}", tensor.kind(), tensor.size());
        ensure!(
            found.kind() == like.kind() && found.size() == like.size(),
            "`{name}` is {}, and training has {}",
            shown(found),
            shown(like)
        );
        Ok(found)
    }
}

/// What changes while an epoch is trained: parameters, buffers and the optimizer's memory.
fn now(stack: &Stack, memory: &[Tensor]) -> Tensors {
    let mut named = vec![("values".to_owned(), stack.arena().values().shallow_clone())];
    named.extend(memory.iter().enumerate().map(|(place, memory)| (format!("memory.{place}"), memory.shallow_clone())));
    let buffers = stack.arena().buffers().iter();
    named.extend(buffers.map(|buffer| (format!("buffers.{}", buffer.name), buffer.values.shallow_clone())));
    named
}

/// The names of all tensors of a checkpoint, in order, each with one of its type and shape.
fn places(stack: &Stack, memory: &[Tensor]) -> Tensors {
    let kept = stack.arena().buffers().iter();
    let kept = kept.map(|buffer| (format!("kept.buffers.{}", buffer.name), buffer.values.shallow_clone()));
    let values = ("kept.values".to_owned(), stack.arena().values().shallow_clone());
    now(stack, memory).into_iter().chain([values]).chain(kept).collect()
}
