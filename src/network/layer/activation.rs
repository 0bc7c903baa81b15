//! Activation layers. They have no parameters and act elementwise, except softmax, which acts on a whole row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, not_negative, positive};
use crate::config::shorthand::FromNumber;
use crate::tensor::shape::{Shape, ShapeFault};

/// ReLU: `max(0, x)`.
#[derive(Debug)]
pub struct Relu;

impl Module for Relu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.relu()
    }
}

/// Sigmoid: `1 / (1 + e⁻ˣ)`.
#[derive(Debug)]
pub struct Sigmoid;

impl Module for Sigmoid {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.sigmoid()
    }
}

/// Hyperbolic tangent.
#[derive(Debug)]
pub struct Tanh;

impl Module for Tanh {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.tanh()
    }
}

/// Softmax: `eˣ / Σ eˣ` over the last dimension.
#[derive(Debug)]
pub struct Softmax;

impl Module for Softmax {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.softmax(-1, None)
    }
}

pub(super) fn softmax_output(input: &Shape) -> Result<Shape, ShapeFault> {
    match input.flat() {
        Some(_) => Ok(input.clone()),
        None => Err(ShapeFault {
            wanted: "one dimension".to_owned(),
            found: input.clone(),
            hint: Some("put `\"flatten\"` before it"),
        }),
    }
}

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

impl LeakyRelu {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        not_negative("negative_slope", self.negative_slope)
    }
}

impl Module for LeakyRelu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        // tch's leaky_relu has a fixed slope of 0.01; a PReLU with a constant weight is the same function.
        xs.prelu(&Tensor::full([1], self.negative_slope, (xs.kind(), xs.device())))
    }
}

/// ELU: `x` where positive, `alpha · (eˣ − 1)` elsewhere (Clevert et al. 2015); written `"elu"` or `{ elu = 0.5 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elu {
    /// The output tends to `-alpha` for large negative `x`.
    #[serde(default = "one")]
    pub alpha: f64,
}

fn one() -> f64 {
    1.0
}

impl FromNumber for Elu {
    fn from_number(alpha: f64) -> Result<Self, String> {
        Ok(Elu { alpha })
    }
}

impl Elu {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("alpha", self.alpha)
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

impl Module for Gelu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        match self.approximate {
            Approximation::None => xs.gelu("none"),
            Approximation::Tanh => xs.gelu("tanh"),
        }
    }
}

/// Softplus: `ln(1 + e^(beta · x)) / beta`, and `x` where `beta · x` is above the threshold; written `"softplus"` or
/// with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Softplus {
    /// Sharpness of the bend at 0.
    #[serde(default = "one")]
    pub beta: f64,
    /// Where `beta · x` is above this, the function is linear.
    #[serde(default = "twenty")]
    pub threshold: f64,
}

fn twenty() -> f64 {
    20.0
}

impl Softplus {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("beta", self.beta)?;
        not_negative("threshold", self.threshold)
    }
}

impl Module for Softplus {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if *self == (Softplus { beta: one(), threshold: twenty() }) {
            return xs.softplus(); // tch's softplus has fixed settings
        }
        let scaled = xs * self.beta;
        // Clamp before the exponential, so that a large x causes no infinity in the gradient.
        let bent = scaled.clamp_max(self.threshold).exp().log1p() / self.beta;
        xs.where_self(&scaled.gt(self.threshold), &bent)
    }
}
