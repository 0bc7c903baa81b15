//! Logarithm of softmax.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::activation::softmax::Softmax;
use crate::network::layer::layer_spec::{LayerSpec, OutputKind};
use crate::tensor::shape::{Shape, ShapeError};

/// Logarithm of softmax: `x − ln Σ eˣ` over the values of a row; written `"log_softmax"`.
#[derive(Debug)]
pub struct LogSoftmax;

impl LayerSpec for LogSoftmax {
    fn kind(&self) -> &'static str {
        "log_softmax"
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        Softmax.output(input)
    }

    fn output_kind(&self, _input: &Shape) -> OutputKind {
        OutputKind::LogDistribution
    }
}

impl Module for LogSoftmax {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.log_softmax(-1, xs.kind())
    }
}
