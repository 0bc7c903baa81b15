//! PReLU, with a learned slope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::stacked::Stacked;
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
    fn parameters(&self, _input: &Shape, _init: Init) -> Vec<Parameter> {
        vec![Parameter { name: "weight".into(), shape: vec![1], draw: Draw::Constant(self.start) }]
    }
}

/// `[replicas, batch, …]` → the same shape. The weight is `[replicas, 1]`.
impl Module for Stacked<Prelu> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        // [batch, replicas, …]: libtorch's operation has one weight for each index of the second dimension
        xs.transpose(0, 1).prelu(&self.parameters[0].flatten(0, 1)).transpose(0, 1)
    }
}
