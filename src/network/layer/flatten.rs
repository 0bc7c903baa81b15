//! Flattens all dimensions of a row into one, as before the first linear layer of an image network.

use tch::Tensor;
use tch::nn::Module;

use crate::tensor::shape::Shape;

pub(super) fn output(input: &Shape) -> Shape {
    Shape::from([input.elements() as i64])
}

/// Flatten layer of a stack: `[replicas, batch, …]` → `[replicas, batch, features]`.
#[derive(Debug)]
pub struct FlattenRows;

impl Module for FlattenRows {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.flatten(2, -1)
    }
}
