//! Flattens all dimensions of a row into one, as before the first linear layer of an image network.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// Flatten layer of a stack: `[replicas, batch, …]` → `[replicas, batch, features]`.
#[derive(Debug)]
pub struct Flatten;

impl LayerSpec for Flatten {
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        Ok(Shape::from([input.elements() as i64]))
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Flatten)
    }
}

impl Module for Flatten {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.flatten(2, -1)
    }
}
