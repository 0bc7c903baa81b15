//! Sigmoid.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::{LayerSpec, OutputKind};
use crate::tensor::shape::Shape;

/// Sigmoid: `1 / (1 + e⁻ˣ)`.
#[derive(Debug)]
pub struct Sigmoid;

impl Module for Sigmoid {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.sigmoid()
    }
}

impl LayerSpec for Sigmoid {
    fn kind(&self) -> &'static str {
        "sigmoid"
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Activation(FusedActivation::Sigmoid))
    }

    fn output_kind(&self, _input: &Shape) -> OutputKind {
        OutputKind::Probabilities
    }

    fn saturation_limits(&self) -> Option<[f64; 2]> {
        Some([0.0, 1.0])
    }
}
