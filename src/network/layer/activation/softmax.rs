//! Softmax, over the values of a row.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::layer_spec::{LayerSpec, OutputKind};
use crate::tensor::shape::{Shape, ShapeError};

/// Softmax: `eˣ / Σ eˣ` over the last dimension.
#[derive(Debug)]
pub struct Softmax;

impl Module for Softmax {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.softmax(-1, None)
    }
}

impl LayerSpec for Softmax {
    fn kind(&self) -> &'static str {
        "softmax"
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match input.flat() {
            Some(_) => Ok(input.clone()),
            None => Err(ShapeError {
                wanted: "one dimension".to_owned(),
                found: input.clone(),
                hint: Some("put `\"flatten\"` before it"),
                problem: None,
            }),
        }
    }

    fn output_kind(&self, _input: &Shape) -> OutputKind {
        OutputKind::Distribution
    }
}
