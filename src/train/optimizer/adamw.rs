//! AdamW (Loshchilov and Hutter 2019), as `torch.optim.AdamW`: Adam with weight decay that does not enter the running
//! means, but multiplies every parameter by the same factor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use crate::config::check::Invalid;

/// Settings of AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// Decay rates of the two running means.
    pub betas: [f64; 2],
    /// Added to the root to avoid division by 0.
    #[serde(alias = "epsilon")]
    pub eps: f64,
    /// Every parameter is multiplied by `1 − lr · weight_decay` at each step.
    pub weight_decay: f64,
    /// Whether to divide by the largest mean square so far instead of the current one.
    pub amsgrad: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { lr, betas, eps, amsgrad, .. } = Adam::default();
        AdamW { lr, betas, eps, weight_decay: 1e-2, amsgrad }
    }
}

impl AdamW {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        self.as_adam().check()
    }

    /// Returns the same settings as Adam's, whose rule is shared.
    pub(super) fn as_adam(&self) -> Adam {
        let AdamW { lr, betas, eps, weight_decay, amsgrad } = *self;
        Adam { lr, betas, eps, weight_decay, amsgrad }
    }

    /// Returns the settings with the defaults of those that replicas of a stack have separately.
    pub(super) fn shared(&self) -> AdamW {
        AdamW { amsgrad: self.amsgrad, ..AdamW::default() }
    }
}
