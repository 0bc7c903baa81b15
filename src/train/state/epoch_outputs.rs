//! What an epoch of training has shown, before it is brought back from the device.

use tch::{Device, Kind, Tensor};

use crate::network::stack::Stack;
use crate::observe::observer::{Observations, Observer};
use crate::observe::{self, norms};
use crate::train::evaluate::Figures;
use crate::train::task::Task;

/// How many training rows observers look at after an epoch.
const OBSERVED_ROWS: usize = 1024;

/// What the steps of an epoch have shown, on the device.
#[derive(Default)]
pub(crate) struct Steps {
    losses: Vec<Tensor>,  // [replicas] each
    outputs: Vec<Tensor>, // [replicas, batch, outputs] each
    rows: Vec<f64>,
    weights: Vec<Tensor>, // [replicas] each: what the batch's rows weigh, where they have weights
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
            self.gradients.push(norms::of_gradient(stack, gradient));
        }
    }

    /// The averages over the epoch's rows.
    pub(crate) fn seen(&self, device: Device) -> EpochOutputs {
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

/// What an epoch has shown, in training mode, on the device.
pub(crate) struct EpochOutputs {
    pub(crate) loss: Tensor,       // the mean over the epoch's rows, [replicas], f64
    pub(crate) outputs: Tensor,    // [replicas, rows, outputs]
    pub(crate) gradients: Figures, // what is observed of gradients, as means over the steps
}

impl EpochOutputs {
    /// The figures of the epoch's rows, and what is observed in the layers; `metrics` has the metrics of the outputs.
    pub(crate) fn figures(self, metrics: impl Fn(&Tensor) -> Figures, task: &Task, stack: &Stack) -> Figures {
        let _no_grad = tch::no_grad_guard();
        let mut figures = vec![("loss".to_owned(), self.loss)];
        figures.extend(metrics(&self.outputs));
        figures.extend(self.gradients);
        let sample = task.training.features(&(0..task.training.len().min(OBSERVED_ROWS)), stack.replicas());
        figures.extend(observe::after_epoch(&task.settings.observe, stack, task.layers, &sample));
        figures
    }
}
