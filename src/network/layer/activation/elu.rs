//! ELU.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, positive};
use crate::config::defaults;
use crate::config::shorthand::FromNumber;
use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::LayerSpec;

/// ELU: `x` where positive, `alpha · (eˣ − 1)` elsewhere (Clevert et al. 2015); written `"elu"` or `{ elu = 0.5 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elu {
    /// The output tends to `-alpha` for large negative `x`.
    #[serde(default = "defaults::one::<f64>")]
    pub alpha: f64,
}

impl FromNumber for Elu {
    fn from_number(alpha: f64) -> Result<Self, String> {
        Ok(Elu { alpha })
    }
}

impl Module for Elu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if self.alpha == 1.0 {
            return xs.elu(); // tch's elu has a fixed alpha of 1
        }
        // Clamp before the exponential, so that a large x causes no infinity in the gradient.
        xs.where_self(&xs.gt(0.0), &(xs.clamp_max(0.0).expm1() * self.alpha))
    }
}

impl LayerSpec for Elu {
    fn kind(&self) -> &'static str {
        "elu"
    }

    fn check(&self) -> Result<(), Invalid> {
        positive("alpha", self.alpha)
    }

    fn fusion(&self) -> Option<Fusion> {
        (self.alpha == 1.0).then_some(Fusion::Activation(FusedActivation::Elu))
    }
}
