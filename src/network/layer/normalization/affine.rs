//! What normalization layers have in common: defaults of settings, the learned weight and bias, and the values that they
//! belong to.

use tch::Tensor;

use crate::network::init::{Draw, Parameter};
use crate::tensor::shape::Shape;

/// Returns 1e-5, what is added to the variance to avoid division by 0.
pub fn eps() -> f64 {
    1e-5
}

/// Returns 0.1, the weight of the new batch in running averages.
pub fn momentum() -> f64 {
    0.1
}

/// Returns a weight of 1 and a bias of 0 of this shape, or none of both.
pub fn affine(shape: Vec<i64>, is_learned: bool) -> Vec<Parameter> {
    let named = [("weight", shape.clone(), 1.0), ("bias", shape, 0.0)].into_iter().filter(|_| is_learned);
    named.map(|(name, shape, start)| Parameter { name: name.into(), shape, draw: Draw::Constant(start) }).collect()
}

/// Returns the weights or biases of all replicas one after the other: `[replicas, channels]` → `[replicas · channels]`.
pub fn of_all_channels(parameters: &[Tensor], number: usize) -> Option<Tensor> {
    parameters.get(number).map(|parameter| parameter.flatten(0, 1))
}

/// Returns the shape that `layer_norm` and `rms_norm` normalize: all values of a row; of a sequence, those of a time step.
pub fn normalized_shape(input: &Shape) -> Vec<i64> {
    match *input.dimensions() {
        [_, features] => vec![features],
        ref shape => shape.to_vec(),
    }
}
