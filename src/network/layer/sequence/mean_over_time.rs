//! Mean over the time steps of a sequence.

use tch::nn::Module;
use tch::{Kind, Tensor};

use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::sequence::time_steps::time_and_features;
use crate::tensor::shape::{Shape, ShapeError};

/// Mean over time of a stack: `[replicas, batch, time, features]` → `[replicas, batch, features]`.
#[derive(Debug)]
pub struct MeanOverTime;

impl LayerSpec for MeanOverTime {
    fn kind(&self) -> &'static str {
        "mean_over_time"
    }

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
