//! Layers that act on each value alone (and softmax, on each row), without parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::check::{Invalid, not_negative};
use crate::shape::{Shape, ShapeFault};
use crate::short_form::FromNumber;

/// `max(0, x)`.
#[derive(Debug)]
pub struct Relu;

impl Module for Relu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.relu()
    }
}

/// `1 / (1 + e⁻ˣ)`.
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

/// `eˣ / Σ eˣ` over the last dimension.
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

/// `x` where positive, `negative_slope · x` elsewhere; written `"leaky_relu"` or `{ leaky_relu = 0.2 }`.
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
        // tch's leaky_relu fixes the slope at 0.01; a parametric ReLU with a constant weight is the same function.
        xs.prelu(&Tensor::full([1], self.negative_slope, (xs.kind(), xs.device())))
    }
}
