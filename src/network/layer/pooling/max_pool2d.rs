//! 2-D max pooling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::Invalid;
use crate::config::shorthand::FromNumber;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::pooling::pool2d::Pool2d;
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::window::Window;
use crate::tensor::shape::{Shape, ShapeError};

/// Maximum of each window of an image; written `{ max_pool2d = 2 }` or with all settings.
///
/// # Shapes
/// `[replicas, batch, channels, height, width]` → the same with a smaller height and width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MaxPool2d(Pool2d);

impl FromNumber for MaxPool2d {
    fn from_number(number: f64) -> Result<Self, String> {
        Pool2d::from_number(number).map(MaxPool2d)
    }
}

impl LayerSpec for MaxPool2d {
    fn kind(&self) -> &'static str {
        "max_pool2d"
    }

    fn check(&self) -> Result<(), Invalid> {
        self.0.check()
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        self.0.output(input)
    }
}

impl Module for MaxPool2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let Window { kernel, stride, padding } = self.0.window();
        split_replicas(&merge_replicas(xs).max_pool2d(kernel, stride, padding, 1, false), xs.size()[0])
    }
}
