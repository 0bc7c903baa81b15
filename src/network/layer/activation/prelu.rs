//! PReLU, with a learned slope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::Shape;

/// PReLU: `x` where positive, `weight · x` elsewhere, with a learned weight (He et al. 2015); written `"prelu"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prelu {
    /// Initial weight (PyTorch: `init`).
    #[serde(default = "quarter", alias = "init")]
    pub start: f64,
}

fn quarter() -> f64 {
    0.25
}

impl LayerSpec for Prelu {
    fn kind(&self) -> &'static str {
        "prelu"
    }

    fn parameters(&self, _input: &Shape, _init: Init) -> Vec<Parameter> {
        vec![Parameter { name: "weight".into(), shape: vec![1], draw: Draw::Constant(self.start) }]
    }
}

/// PReLU layer of a stack: `[replicas, batch, …]` → the same shape.
#[derive(Debug)]
pub struct StackedPrelu {
    weight: Tensor, // [replicas, 1]
}

impl StackedPrelu {
    /// Builds the layer from its weight, `[replicas, 1]`.
    pub fn new(mut parameters: Vec<Tensor>) -> Self {
        StackedPrelu { weight: parameters.remove(0) }
    }
}

impl Module for StackedPrelu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        // [batch, replicas, …]: libtorch's operation has one weight for each index of the second dimension
        xs.transpose(0, 1).prelu(&self.weight.flatten(0, 1)).transpose(0, 1)
    }
}
