//! RMSprop (Hinton 2012), as `torch.optim.RMSprop`: divides each parameter's step by the root of the running mean of
//! its squared gradient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Constants, Rule, add_weight_decay};
use crate::config::check::{Invalid, below_one, not_negative, positive};

/// Settings of RMSprop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rmsprop {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// Decay rate of the running mean (Keras: `rho`).
    #[serde(alias = "rho")]
    pub alpha: f64,
    /// Added to the root to avoid division by 0.
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Factor of the previous step's direction.
    pub momentum: f64,
    /// Whether to subtract the squared running mean of the gradient, so that the divisor is the root of the variance.
    pub centered: bool,
}

impl Default for Rmsprop {
    fn default() -> Self {
        Rmsprop { lr: 1e-2, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

impl Rmsprop {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("lr", self.lr)?;
        below_one("alpha", self.alpha)?;
        not_negative("eps", self.eps)?;
        not_negative("weight_decay", self.weight_decay)?;
        below_one("momentum", self.momentum)
    }

    /// Returns the number of values stored per parameter: the running mean of squares, that of gradients if `centered`,
    /// and the momentum buffer if used.
    pub(super) fn memory(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum > 0.0)
    }

    /// Returns the constants of every step.
    pub(super) fn constants(&self) -> [f64; 4] {
        let Rmsprop { alpha, eps, momentum, .. } = *self;
        [alpha, 1.0 - alpha, eps, momentum]
    }

    /// Returns the settings with the defaults of those that replicas of a stack have separately.
    pub(super) fn shared(&self) -> Rmsprop {
        Rmsprop { centered: self.centered, ..Rmsprop::default() }
    }
}

/// One step of RMSprop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) centered: bool,
}

impl Rule for Step {
    #[inline(always)]
    fn apply<N: Number>(
        &self,
        [alpha, rest, eps, factor, ..]: &Constants<N::PerReplica>,
        value: &N,
        gradient: &N,
        memory: &mut [N],
        rate: &N::PerReplica,
        decay: Option<&N::PerReplica>,
    ) -> N {
        let gradient = add_weight_decay(value, gradient, decay);
        let (square, others) = memory.split_first_mut().expect("the mean of squares");
        *square = square.mul_each(alpha).add(&gradient.mul_each(rest).mul(&gradient));
        let (variance, momentum) = match others {
            [] => (square.clone(), None),
            [mean, momentum @ ..] if self.centered => {
                *mean = mean.lerp(&gradient, rest).flush_tiny();
                (square.sub(&mean.mul(mean)), momentum.first_mut())
            }
            [momentum, ..] => (square.clone(), Some(momentum)),
        };
        let step = gradient.div(&variance.sqrt().add_each(eps));
        let Some(momentum) = momentum.filter(|_| !N::is_zero(factor)) else {
            return value.sub(&step.mul_each(rate));
        };
        let moved = momentum.mul_each(factor).add(&step).flush_tiny();
        let value = value.sub(&moved.mul_each(rate));
        *momentum = momentum.replace_unless_zero(moved, factor);
        value
    }
}
