//! Adam (Kingma and Ba 2015), as `torch.optim.Adam`: each parameter's step is the running mean of its gradient divided
//! by the root of the running mean of its square, both corrected for starting at 0.
//!
//! With `amsgrad` (Reddi, Kale and Kumar 2018) the divisor is the root of the largest mean square so far, so that steps
//! do not grow when a large gradient is forgotten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Constants, Rule, add_weight_decay};
use crate::config::check::{Invalid, below_one, not_negative, positive};

/// Settings of Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// Decay rates of the two running means.
    pub betas: [f64; 2],
    /// Added to the root to avoid division by 0.
    #[serde(alias = "epsilon")]
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Whether to divide by the largest mean square so far instead of the current one.
    pub amsgrad: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

impl Adam {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("lr", self.lr)?;
        below_one("betas", self.betas[0])?;
        below_one("betas", self.betas[1])?;
        not_negative("eps", self.eps)?;
        not_negative("weight_decay", self.weight_decay)
    }

    /// Returns the number of values stored per parameter: the running means of the gradient and of its square and, with
    /// AMSGrad, the largest mean square.
    pub(super) fn memory(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    /// Returns the constants of a step, counted from 1. The last two are the bias corrections of the mean gradient and of
    /// the root of the mean square.
    pub(super) fn constants(&self, step: u64) -> [f64; 6] {
        let Adam { betas: [beta1, beta2], eps, .. } = *self;
        let mean_correction = 1.0 / (1.0 - beta1.powf(step as f64));
        let root_correction = 1.0 / (1.0 - beta2.powf(step as f64)).sqrt();
        [1.0 - beta1, beta2, 1.0 - beta2, eps, mean_correction, root_correction]
    }

    /// Returns the settings with the defaults of those that replicas of a stack have separately.
    pub(super) fn shared(&self) -> Adam {
        Adam { amsgrad: self.amsgrad, ..Adam::default() }
    }
}

/// One step of Adam or AdamW.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Whether weight decay is applied to the weights directly, as in AdamW.
    pub(super) decoupled: bool,
}

impl Rule for Step {
    #[inline(always)]
    fn apply<N: Number>(
        &self,
        [share, beta2, square_share, eps, mean_correction, root_correction]: &Constants<N::PerReplica>,
        value: &N,
        gradient: &N,
        memory: &mut [N],
        rate: &N::PerReplica,
        decay: Option<&N::PerReplica>,
    ) -> N {
        let gradient = add_weight_decay(value, gradient, decay.filter(|_| !self.decoupled));
        let (mean, others) = memory.split_first_mut().expect("the mean gradient");
        let (square, others) = others.split_first_mut().expect("the mean square");
        *mean = mean.lerp(&gradient, share).flush_tiny();
        *square = square.mul_each(beta2).add(&gradient.mul_each(square_share).mul(&gradient));
        let divisor = match others.first_mut() {
            Some(largest) => {
                *largest = largest.max(square);
                largest.sqrt()
            }
            None => square.sqrt(),
        };
        let direction = mean.div(&divisor.mul_each(root_correction).add_each(eps));
        let step = direction.mul_product(rate, mean_correction);
        match decay.filter(|_| self.decoupled) {
            Some(decay) => value.decay(rate, decay).sub(&step),
            None => value.sub(&step),
        }
    }
}
