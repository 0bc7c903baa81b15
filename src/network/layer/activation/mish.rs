//! Mish.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::layer_spec::LayerSpec;

/// Mish: `x · tanh(softplus(x))` (Misra 2019); written `"mish"`.
#[derive(Debug)]
pub struct Mish;

impl LayerSpec for Mish {
    fn kind(&self) -> &'static str {
        "mish"
    }
}

impl Module for Mish {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.mish()
    }
}
