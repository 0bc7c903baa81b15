//! What can be observed in a layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::network::layer::Layer;

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
    /// All observers.
    pub const ALL: [Observer; 4] =
        [Observer::GradientNorm, Observer::WeightNorm, Observer::DeadUnits, Observer::Saturation];

    /// Returns whether the statistic is a fraction, which plots show as a percentage.
    pub fn is_fraction(self) -> bool {
        matches!(self, Observer::DeadUnits | Observer::Saturation)
    }

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
    pub fn applies_to(self, layer: &Layer, parameters: usize) -> bool {
        match self {
            Observer::GradientNorm | Observer::WeightNorm => parameters > 0,
            Observer::DeadUnits => layer.spec().can_have_dead_units(),
            Observer::Saturation => layer.spec().saturation_limits().is_some(),
        }
    }

    /// Returns the name of a layer's series.
    pub fn series(self, layer: usize) -> String {
        format!("{}.{layer}", self.name())
    }
}
