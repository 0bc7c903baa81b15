//! Dropout of whole channels (Tompson et al. 2015), as PyTorch's `Dropout2d`. Each replica
//! has the masks of its lone run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, below_one};
use crate::config::shorthand::FromNumber;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::window::channels_and_lengths;
use crate::tensor::generators::map_each_replica;
use crate::tensor::shape::{Shape, ShapeError};

/// Zeroes each channel of an image with probability `p` in training, and scales the others by `1 / (1 − p)`; written `{
/// dropout2d = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropout2d {
    /// Probability that a channel is zeroed, at least 0 and less than 1.
    #[serde(default = "half", alias = "rate")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl FromNumber for Dropout2d {
    fn from_number(p: f64) -> Result<Self, String> {
        Ok(Dropout2d { p })
    }
}

impl LayerSpec for Dropout2d {
    fn kind(&self) -> &'static str {
        "dropout2d"
    }

    fn check(&self) -> Result<(), Invalid> {
        below_one("p", self.p)
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        channels_and_lengths::<2>(input).map(|_| input.clone())
    }
}

/// Channel dropout layer of a stack: `[replicas, batch, channels, height, width]` → the same shape.
#[derive(Debug)]
pub struct StackedDropout2d {
    p: Vec<f64>, // of each replica
}

impl StackedDropout2d {
    /// Builds the layer with the settings of each replica.
    pub fn new(replicas: &[&Dropout2d]) -> Self {
        StackedDropout2d { p: replicas.iter().map(|dropout| dropout.p).collect() }
    }
}

impl ModuleT for StackedDropout2d {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        match train {
            true => map_each_replica(xs, |replica, xs| xs.feature_dropout(self.p[replica], true)),
            false => xs.shallow_clone(),
        }
    }
}
