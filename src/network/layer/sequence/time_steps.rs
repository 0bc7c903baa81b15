//! Shape of a sequence, and its mean over the time steps.

use tch::nn::Module;
use tch::{Kind, Tensor};

use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// Returns the number of time steps and of features of a row.
///
/// # Errors
/// When the row is not a sequence.
pub fn time_and_features(input: &Shape) -> Result<[i64; 2], ShapeError> {
    let found = input.dimensions().try_into();
    found.map_err(|_| ShapeError::new(input, "time×features", "put `{ reshape = [time, features] }` before it"))
}

/// Mean over time of a stack: `[replicas, batch, time, features]` → `[replicas, batch, features]`.
#[derive(Debug)]
pub struct MeanOverTime;

impl LayerSpec for MeanOverTime {
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let [_, features] = time_and_features(input)?;
        Ok(Shape::from([features]))
    }
}

impl Module for MeanOverTime {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.mean_dim(2, false, Kind::Float)
    }
}
