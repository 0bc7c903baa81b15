//! What can be observed in a layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::network::layer::Layer;

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
