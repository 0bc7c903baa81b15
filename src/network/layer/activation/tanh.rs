//! Hyperbolic tangent.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::LayerSpec;

/// Hyperbolic tangent.
#[derive(Debug)]
pub struct Tanh;

impl Module for Tanh {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.tanh()
    }
}

impl LayerSpec for Tanh {
    fn kind(&self) -> &'static str {
        "tanh"
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::Tanh))
    }

    fn saturation_limits(&self) -> Option<[f64; 2]> {
        Some([-1.0, 1.0])
    }
}
