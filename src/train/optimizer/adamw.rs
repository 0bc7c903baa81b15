//! AdamW (Loshchilov and Hutter 2019), as `torch.optim.AdamW`: Adam whose weight decay does not pass through the
//! running means, but shrinks every parameter by the same share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use crate::config::check::Invalid;

/// `adamw`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// The shares of the two running means that are kept at each step.
    pub betas: [f64; 2],
    /// Added to the root, so that nothing is divided by 0.
    #[serde(alias = "epsilon")]
    pub eps: f64,
    /// Every parameter loses the share `lr · weight_decay` at each step.
    pub weight_decay: f64,
    /// Whether the largest mean square so far divides, in place of the current one.
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

    /// The same numbers, for the rule that both share.
    pub(super) fn as_adam(&self) -> Adam {
        let AdamW { lr, betas, eps, weight_decay, amsgrad } = *self;
        Adam { lr, betas, eps, weight_decay, amsgrad }
    }
}
