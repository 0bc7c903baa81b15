//! Dropout for networks with `selu` (Klambauer et al. 2017), as PyTorch's `AlphaDropout`. Each replica
//! has the masks of its lone run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, below_one};
use crate::config::shorthand::FromNumber;
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::generators::map_each_replica;

/// Sets each value to SELU's lower limit with probability `p` in training, and scales and shifts all values so that mean and
/// variance are preserved; written `{ alpha_dropout = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlphaDropout {
    /// Probability that a value is replaced, at least 0 and less than 1.
    #[serde(default = "half", alias = "rate")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl FromNumber for AlphaDropout {
    fn from_number(p: f64) -> Result<Self, String> {
        Ok(AlphaDropout { p })
    }
}

impl LayerSpec for AlphaDropout {
    fn kind(&self) -> &'static str {
        "alpha_dropout"
    }

    fn check(&self) -> Result<(), Invalid> {
        below_one("p", self.p)
    }
}

/// Alpha dropout layer of a stack: `[replicas, batch, …]` → the same shape.
#[derive(Debug)]
pub struct StackedAlphaDropout {
    p: Vec<f64>, // of each replica
}

impl StackedAlphaDropout {
    /// Builds the layer with the settings of each replica.
    pub fn new(replicas: &[&AlphaDropout]) -> Self {
        StackedAlphaDropout { p: replicas.iter().map(|dropout| dropout.p).collect() }
    }
}

impl ModuleT for StackedAlphaDropout {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        match train {
            true => map_each_replica(xs, |replica, xs| xs.alpha_dropout(self.p[replica], true)),
            false => xs.shallow_clone(),
        }
    }
}
