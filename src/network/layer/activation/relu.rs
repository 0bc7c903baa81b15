//! ReLU.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::LayerSpec;

/// ReLU: `max(0, x)`.
#[derive(Debug)]
pub struct Relu;

impl Module for Relu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.relu()
    }
}

impl LayerSpec for Relu {
    fn kind(&self) -> &'static str {
        "relu"
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::LeakyRelu { slope: 0.0 }))
    }

    fn can_have_dead_units(&self) -> bool {
        true
    }
}
