//! Observers: what happens inside the layers while a network trains, stored in the history as extra series.
//!
//! A series is named after the observer and the layer's number: `gradient_norm.0`. All of it is taken on the device for
//! every replica at once, and comes back with the epoch's other figures in the one read.

pub mod activations;
pub mod norms;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::network::layer::Layer;
use crate::network::stack::Stack;

/// Something to be observed in every layer that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observer {
    /// The norm of the gradient of each layer's parameters, as a mean over the epoch's steps.
    GradientNorm,
    /// The norm of each layer's weights (not its biases) after the epoch.
    WeightNorm,
    /// The share of each activation layer's units that give 0 for every row, and so no gradient.
    DeadUnits,
    /// The share of a sigmoid's or tanh's outputs that lie in the flat tenth at either end.
    Saturation,
}

/// Figures by name, each `[replicas]`, f64, on the device.
pub type Observations = Vec<(String, Tensor)>;

impl Observer {
    /// The name that series begin with.
    pub fn name(self) -> &'static str {
        match self {
            Observer::GradientNorm => "gradient_norm",
            Observer::WeightNorm => "weight_norm",
            Observer::DeadUnits => "dead_units",
            Observer::Saturation => "saturation",
        }
    }

    /// Whether the layer has what is observed.
    pub fn sees(self, layer: &Layer, parameters: usize) -> bool {
        match self {
            Observer::GradientNorm | Observer::WeightNorm => parameters > 0,
            Observer::DeadUnits => matches!(layer, Layer::Relu | Layer::LeakyRelu(_)),
            Observer::Saturation => matches!(layer, Layer::Sigmoid | Layer::Tanh),
        }
    }

    /// The name of a layer's series.
    pub fn series(self, layer: usize) -> String {
        format!("{}.{layer}", self.name())
    }
}

/// What is observed after an epoch, on a sample of training rows `[replicas, rows, …]`; gradients are observed at each
/// step ([`norms::of_gradient`]).
pub fn after_epoch(observers: &[Observer], stack: &Stack, layers: &[Layer], sample: &Tensor) -> Observations {
    let _no_grad = tch::no_grad_guard();
    let mut found = Vec::new();
    if observers.contains(&Observer::WeightNorm) {
        found.extend(norms::of_weights(stack));
    }
    if observers.contains(&Observer::DeadUnits) || observers.contains(&Observer::Saturation) {
        found.extend(activations::of_layers(observers, stack, layers, sample));
    }
    found
}
