//! Observers: statistics of the layers during training, stored in the history as additional series.
//!
//! A series is named after the observer and the layer's index: `gradient_norm.0`. All values are computed on the device
//! for every replica at once, and are copied to the CPU together with the epoch's metrics.

pub mod activations;
pub mod norms;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::network::layer::Layer;
use crate::network::stack::Stack;

/// Statistic that is recorded for every layer to which it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observer {
    /// The norm of the gradient of each layer's parameters, averaged over the epoch's steps.
    GradientNorm,
    /// The norm of each layer's weights (not its biases) after the epoch.
    WeightNorm,
    /// The share of each activation layer's units that output 0 for every row and therefore have no gradient.
    DeadUnits,
    /// The share of sigmoid or tanh outputs that lie in the outer 5 % of the range at either end.
    Saturation,
}

/// Values by series name, each `[replicas]`, f64, on the device.
pub type Observations = Vec<(String, Tensor)>;

impl Observer {
    /// Returns the prefix of its series.
    pub fn name(self) -> &'static str {
        match self {
            Observer::GradientNorm => "gradient_norm",
            Observer::WeightNorm => "weight_norm",
            Observer::DeadUnits => "dead_units",
            Observer::Saturation => "saturation",
        }
    }

    /// Returns whether the observer applies to the layer.
    pub fn sees(self, layer: &Layer, parameters: usize) -> bool {
        match self {
            Observer::GradientNorm | Observer::WeightNorm => parameters > 0,
            Observer::DeadUnits => matches!(layer, Layer::Relu | Layer::LeakyRelu(_)),
            Observer::Saturation => matches!(layer, Layer::Sigmoid | Layer::Tanh),
        }
    }

    /// Returns the name of a layer's series.
    pub fn series(self, layer: usize) -> String {
        format!("{}.{layer}", self.name())
    }
}

/// Returns what is observed after an epoch, on a sample of training rows `[replicas, rows, …]`. Gradients are observed
/// at each step instead ([`norms::of_gradient`]).
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
