//! Dropout of whole channels (Tompson et al. 2015), as PyTorch's `Dropout2d`, and dropout for networks with `selu` (Klambauer
//! et al. 2017), as its `AlphaDropout`. Each replica has the masks of its lone run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::FromNumber;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::regularization::dropout::Dropout;
use crate::network::layer::window::channels_and_lengths;
use crate::tensor::generators::map_each_replica;
use crate::tensor::shape::{Shape, ShapeError};

/// Zeroes each channel of an image with probability `p` in training, and scales the others by `1 / (1 − p)`; written `{
/// dropout2d = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Dropout2d(pub Dropout);

/// Sets each value to SELU's lower limit with probability `p` in training, and scales and shifts all values so that mean and
/// variance are preserved; written `{ alpha_dropout = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AlphaDropout(pub Dropout);

impl FromNumber for Dropout2d {
    fn from_number(p: f64) -> Result<Self, String> {
        Dropout::from_number(p).map(Dropout2d)
    }
}

impl FromNumber for AlphaDropout {
    fn from_number(p: f64) -> Result<Self, String> {
        Dropout::from_number(p).map(AlphaDropout)
    }
}

impl LayerSpec for Dropout2d {
    fn kind(&self) -> &'static str {
        "dropout2d"
    }

    fn check(&self) -> Result<(), Invalid> {
        self.0.check()
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        channels_and_lengths::<2>(input).map(|_| input.clone())
    }
}

impl LayerSpec for AlphaDropout {
    fn kind(&self) -> &'static str {
        "alpha_dropout"
    }

    fn check(&self) -> Result<(), Invalid> {
        self.0.check()
    }
}

/// One of these layers of a stack: `[replicas, batch, …]` → the same shape.
#[derive(Debug)]
pub struct StackedDropoutVariant {
    p: Vec<f64>, // of each replica
    operation: fn(&Tensor, f64, bool) -> Tensor,
}

impl StackedDropoutVariant {
    /// Builds the layer with libtorch's operation and the settings of each replica.
    pub fn new<'a>(
        operation: fn(&Tensor, f64, bool) -> Tensor,
        replicas: impl IntoIterator<Item = &'a Dropout>,
    ) -> Self {
        StackedDropoutVariant { p: replicas.into_iter().map(|dropout| dropout.p).collect(), operation }
    }
}

impl ModuleT for StackedDropoutVariant {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        match train {
            true => map_each_replica(xs, |replica, xs| (self.operation)(xs, self.p[replica], true)),
            false => xs.shallow_clone(),
        }
    }
}
