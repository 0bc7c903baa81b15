//! 1-D average pooling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::Invalid;
use crate::config::shorthand::FromNumber;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::pooling::pool1d::Pool1d;
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::window::Window;
use crate::tensor::shape::{Shape, ShapeError};

/// Average of each window of a signal; written `{ avg_pool1d = 2 }` or with all settings.
///
/// # Shapes
/// `[replicas, batch, channels, length]` → the same with a smaller length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AvgPool1d(Pool1d);

impl FromNumber for AvgPool1d {
    fn from_number(number: f64) -> Result<Self, String> {
        Pool1d::from_number(number).map(AvgPool1d)
    }
}

impl LayerSpec for AvgPool1d {
    fn kind(&self) -> &'static str {
        "avg_pool1d"
    }

    fn check(&self) -> Result<(), Invalid> {
        self.0.check()
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        self.0.output(input)
    }
}

impl Module for AvgPool1d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let Window { kernel, stride, padding } = self.0.window();
        split_replicas(&merge_replicas(xs).avg_pool1d(kernel, stride, padding, false, true), xs.size()[0])
    }
}
