//! Average over all positions of an image or a signal.

use tch::nn::Module;
use tch::{Kind, Tensor};

use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// Global average pooling of a stack: `[replicas, batch, channels, height, width]` or `[…, channels, length]` →
/// `[replicas, batch, channels]`; written `"global_avg_pool"`.
#[derive(Debug)]
pub struct GlobalAvgPool;

impl LayerSpec for GlobalAvgPool {
    fn kind(&self) -> &'static str {
        "global_avg_pool"
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match *input.dimensions() {
            [channels, _, ..] => Ok(Shape::from([channels])),
            _ => Err(ShapeError {
                wanted: "channels×height×width, or channels×length".to_owned(),
                found: input.clone(),
                hint: Some("for images, set `flatten = false` in the data"),
                problem: None,
            }),
        }
    }
}

impl Module for GlobalAvgPool {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.flatten(3, -1).mean_dim(3, false, Kind::Float)
    }
}
