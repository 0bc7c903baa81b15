//! Softplus.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, not_negative, positive};
use crate::config::defaults;
use crate::network::layer::layer_spec::LayerSpec;

/// Softplus: `ln(1 + e^(beta · x)) / beta`, and `x` where `beta · x` is above the threshold; written `"softplus"` or
/// with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Softplus {
    /// Sharpness of the bend at 0.
    #[serde(default = "defaults::one::<f64>")]
    pub beta: f64,
    /// Where `beta · x` is above this, the function is linear.
    #[serde(default = "twenty")]
    pub threshold: f64,
}

fn twenty() -> f64 {
    20.0
}

impl Module for Softplus {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if *self == (Softplus { beta: defaults::one(), threshold: twenty() }) {
            return xs.softplus(); // tch's softplus has fixed settings
        }
        let scaled = xs * self.beta;
        // Clamp before the exponential, so that a large x causes no infinity in the gradient.
        let bent = scaled.clamp_max(self.threshold).exp().log1p() / self.beta;
        xs.where_self(&scaled.gt(self.threshold), &bent)
    }
}

impl LayerSpec for Softplus {
    fn kind(&self) -> &'static str {
        "softplus"
    }

    fn check(&self) -> Result<(), Invalid> {
        positive("beta", self.beta)?;
        not_negative("threshold", self.threshold)
    }
}
