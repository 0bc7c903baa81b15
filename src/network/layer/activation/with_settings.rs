//! Activations with settings: leaky ReLU, ELU, GELU and softplus.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, not_negative, positive};
use crate::config::defaults;
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

/// ELU: `x` where positive, `alpha · (eˣ − 1)` elsewhere (Clevert et al. 2015); written `"elu"` or `{ elu = 0.5 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elu {
    /// The output tends to `-alpha` for large negative `x`.
    #[serde(default = "defaults::one::<f64>")]
    pub alpha: f64,
}

impl FromNumber for Elu {
    fn from_number(alpha: f64) -> Result<Self, String> {
        Ok(Elu { alpha })
    }
}

impl Module for Elu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if self.alpha == 1.0 {
            return xs.elu(); // tch's elu has a fixed alpha of 1
        }
        // Clamp before the exponential, so that a large x causes no infinity in the gradient.
        xs.where_self(&xs.gt(0.0), &(xs.clamp_max(0.0).expm1() * self.alpha))
    }
}

impl LayerSpec for Elu {
    fn check(&self) -> Result<(), Invalid> {
        positive("alpha", self.alpha)
    }

    fn fusion(&self) -> Option<Fusion> {
        (self.alpha == 1.0).then_some(Fusion::Activation(FusedActivation::Elu))
    }
}

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
    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::Gelu { approximate: self.approximate.name() }))
    }
}

/// Softplus: `ln(1 + e^(beta · x)) / beta`, and `x` where `beta · x` is above the threshold; written `"softplus"` or
/// with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Softplus {
    /// Sharpness of the bend at 0.
    #[serde(default = "defaults::one::<f64>")]
    pub beta: f64,
    /// Where `beta · x` is above this, the function is linear.
    #[serde(default = "twenty")]
    pub threshold: f64,
}

fn twenty() -> f64 {
    20.0
}

impl Module for Softplus {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if *self == (Softplus { beta: defaults::one(), threshold: twenty() }) {
            return xs.softplus(); // tch's softplus has fixed settings
        }
        let scaled = xs * self.beta;
        // Clamp before the exponential, so that a large x causes no infinity in the gradient.
        let bent = scaled.clamp_max(self.threshold).exp().log1p() / self.beta;
        xs.where_self(&scaled.gt(self.threshold), &bent)
    }
}

impl LayerSpec for Softplus {
    fn check(&self) -> Result<(), Invalid> {
        positive("beta", self.beta)?;
        not_negative("threshold", self.threshold)
    }
}
