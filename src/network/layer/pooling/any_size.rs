//! Averages over images and signals of any size: to a fixed output size, or over all positions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::Module;
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::window::{Pair, Sides, channels_and_lengths};
use crate::tensor::shape::{Shape, ShapeError};

/// Average of windows of an image, which are chosen so that the output has this height and width (PyTorch:
/// `output_size`); written `{ adaptive_avg_pool2d = 1 }` or `{ adaptive_avg_pool2d = [2, 3] }`.
///
/// # Shapes
/// `[replicas, batch, channels, height, width]` → the same with the new height and width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AdaptiveAvgPool2d(Pair);

impl LayerSpec for AdaptiveAvgPool2d {
    fn check(&self) -> Result<(), Invalid> {
        self.0.at_least_one("")
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let (channels, _) = channels_and_lengths::<2>(input)?;
        let [height, width] = self.0.sides();
        Ok(Shape::from([channels, height, width]))
    }
}

impl Module for AdaptiveAvgPool2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        split_replicas(&merge_replicas(xs).adaptive_avg_pool2d(self.0.sides()), xs.size()[0])
    }
}

/// Global average pooling of a stack: `[replicas, batch, channels, height, width]` or `[…, channels, length]` →
/// `[replicas, batch, channels]`; written `"global_avg_pool"`.
#[derive(Debug)]
pub struct GlobalAvgPool;

impl LayerSpec for GlobalAvgPool {
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match *input.dimensions() {
            [channels, _, ..] => Ok(Shape::from([channels])),
            _ => {
                let wanted = "channels×height×width, or channels×length";
                Err(ShapeError::new(input, wanted, "for images, set `flatten = false` in the data"))
            }
        }
    }
}

impl Module for GlobalAvgPool {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.flatten(3, -1).mean_dim(3, false, Kind::Float)
    }
}
