//! Mean over the time steps of a sequence.

use tch::nn::Module;
use tch::{Kind, Tensor};

use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// Mean over time of a stack: `[replicas, batch, time, features]` → `[replicas, batch, features]`.
#[derive(Debug)]
pub struct MeanOverTime;

impl LayerSpec for MeanOverTime {
    fn kind(&self) -> &'static str {
        "mean_over_time"
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match *input.dimensions() {
            [_, features] => Ok(Shape::from([features])),
            _ => Err(ShapeError {
                wanted: "time×features".to_owned(),
                found: input.clone(),
                hint: Some("put `{ reshape = [time, features] }` before it"),
                problem: None,
            }),
        }
    }
}

impl Module for MeanOverTime {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.mean_dim(2, false, Kind::Float)
    }
}
