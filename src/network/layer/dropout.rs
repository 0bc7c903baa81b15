//! Dropout (Srivastava et al. 2014), with libtorch's masks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, below_one};
use crate::config::shorthand::FromNumber;
use crate::network::layer::layer_spec::LayerSpec;

/// Zeroes each value with probability `p` in training; written `{ dropout = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Probability of a zero, at least 0 and less than 1.
    #[serde(default = "half", alias = "rate")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl FromNumber for Dropout {
    fn from_number(p: f64) -> Result<Self, String> {
        Ok(Dropout { p })
    }
}

impl LayerSpec for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn check(&self) -> Result<(), Invalid> {
        below_one("p", self.p)
    }

    fn draws_random_numbers(&self) -> bool {
        true
    }
}

impl ModuleT for Dropout {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        xs.dropout(self.p, train)
    }
}
