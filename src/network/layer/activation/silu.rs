//! SiLU.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::LayerSpec;

/// SiLU: `x · sigmoid(x)` (Hendrycks and Gimpel 2016), also called swish; written `"silu"`.
#[derive(Debug)]
pub struct Silu;

impl LayerSpec for Silu {
    fn kind(&self) -> &'static str {
        "silu"
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::Silu))
    }
}

impl Module for Silu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.silu()
    }
}
