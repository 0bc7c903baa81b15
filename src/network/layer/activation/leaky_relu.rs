//! Leaky ReLU.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, not_negative};
use crate::config::shorthand::FromNumber;
use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::LayerSpec;

/// Leaky ReLU: `x` where positive, `negative_slope · x` elsewhere; written `"leaky_relu"` or `{ leaky_relu = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakyRelu {
    /// The slope for negative values (PyTorch: 0.01; Keras's `alpha`).
    #[serde(default = "hundredth", alias = "alpha")]
    pub negative_slope: f64,
}

fn hundredth() -> f64 {
    0.01
}

impl FromNumber for LeakyRelu {
    fn from_number(negative_slope: f64) -> Result<Self, String> {
        Ok(LeakyRelu { negative_slope })
    }
}

impl Module for LeakyRelu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        // tch's leaky_relu has a fixed slope of 0.01; a PReLU with a constant weight is the same function.
        xs.prelu(&Tensor::full([1], self.negative_slope, (xs.kind(), xs.device())))
    }
}

impl LayerSpec for LeakyRelu {
    fn kind(&self) -> &'static str {
        "leaky_relu"
    }

    fn check(&self) -> Result<(), Invalid> {
        not_negative("negative_slope", self.negative_slope)
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::LeakyRelu { slope: self.negative_slope as f32 }))
    }

    fn can_have_dead_units(&self) -> bool {
        true
    }
}
