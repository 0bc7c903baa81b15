//! GELU.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::LayerSpec;

/// GELU: `x Φ(x)`, where Φ is the normal distribution function (Hendrycks and Gimpel 2016); written `"gelu"` or `{ gelu
/// = { approximate = "tanh" } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gelu {
    /// Whether Φ is exact (`none`) or approximated with a hyperbolic tangent (`tanh`).
    #[serde(default)]
    pub approximate: Approximation,
}

/// Formula for Φ in GELU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approximation {
    /// Exact, with the error function.
    #[default]
    None,
    /// Approximation `½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    Tanh,
}

impl Approximation {
    /// Returns PyTorch's name.
    fn name(self) -> &'static str {
        match self {
            Approximation::None => "none",
            Approximation::Tanh => "tanh",
        }
    }
}

impl Module for Gelu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.gelu(self.approximate.name())
    }
}

impl LayerSpec for Gelu {
    fn kind(&self) -> &'static str {
        "gelu"
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::Gelu { approximate: self.approximate.name() }))
    }
}
