//! Losses, outputs and gradient norms of an epoch, while they are on the device.

use tch::{Device, Kind, Tensor};

use crate::network::stack::Stack;
use crate::observe::observer::{Observations, Observer};
use crate::observe::{self, norms};
use crate::train::evaluate::MetricTensors;
use crate::train::task::Task;

/// Number of training rows on which observers run after an epoch.
const OBSERVED_ROWS: usize = 1024;

/// Losses, outputs and gradient norms of the steps of an epoch, on the device.
#[derive(Default)]
pub(crate) struct Steps {
    losses: Vec<Tensor>,  // [replicas] each
    outputs: Vec<Tensor>, // [replicas, batch, outputs] each
    rows: Vec<f64>,
    weights: Vec<Tensor>, // [replicas] each: sum of the weights of the batch's rows, if rows have weights
    gradients: Vec<Observations>,
}

impl Steps {
    pub(crate) fn observe(&mut self, losses: &Tensor, outputs: &Tensor, rows: usize, weights: Option<&Tensor>) {
        self.losses.push(losses.detach());
        self.outputs.push(outputs.detach());
        self.rows.push(rows as f64);
        self.weights.extend(weights.map(|weights| weights.sum_dim_intlist(1, false, Kind::Double)));
    }

    pub(crate) fn observe_gradient(&mut self, task: &Task, stack: &Stack, gradient: &Tensor) {
        if task.settings.observe.contains(&Observer::GradientNorm) {
            self.gradients.push(norms::gradient_norms(stack, gradient));
        }
    }

    /// Returns the averages over the epoch's rows.
    pub(crate) fn averages(&self, device: Device) -> EpochOutputs {
        let _no_grad = tch::no_grad_guard();
        let weights = match self.weights.is_empty() {
            true => Tensor::from_slice(&self.rows).to_device(device).unsqueeze(1), // [steps, 1], f64
            false => Tensor::stack(&self.weights, 0),                              // [steps, replicas], f64
        };
        let losses = Tensor::stack(&self.losses, 0).to_kind(Kind::Double); // [steps, replicas]
        let mean = |place: usize| {
            let norms: Vec<&Tensor> = self.gradients.iter().map(|norms| &norms[place].1).collect();
            Tensor::stack(&norms, 0).mean_dim(0, false, None)
        };
        let names = self.gradients.first().into_iter().flatten().map(|(name, _)| name.clone());
        EpochOutputs {
            loss: (losses * &weights).sum_dim_intlist(0, false, None) / weights.sum_dim_intlist(0, false, None),
            outputs: Tensor::cat(&self.outputs, 1),
            gradients: names.enumerate().map(|(place, name)| (name, mean(place))).collect(),
        }
    }
}

/// Loss, outputs and gradient norms of an epoch in training mode, on the device.
pub(crate) struct EpochOutputs {
    pub(crate) loss: Tensor,             // mean over the epoch's rows, [replicas], f64
    pub(crate) outputs: Tensor,          // [replicas, rows, outputs]
    pub(crate) gradients: MetricTensors, // gradient norms, as means over the steps
}

impl EpochOutputs {
    /// Returns loss, metrics and observations of the epoch; `compute` returns the metrics of the outputs.
    pub(crate) fn metrics(
        self,
        compute: impl Fn(&Tensor) -> MetricTensors,
        task: &Task,
        stack: &Stack,
    ) -> MetricTensors {
        let _no_grad = tch::no_grad_guard();
        let mut metrics = vec![("loss".to_owned(), self.loss)];
        metrics.extend(compute(&self.outputs));
        metrics.extend(self.gradients);
        let sample = || task.training.features(&(0..task.training.len().min(OBSERVED_ROWS)), stack.replicas());
        metrics.extend(observe::after_epoch(&task.settings.observe, stack, task.layers, sample));
        metrics
    }
}
