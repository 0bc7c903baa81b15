//! RMSprop (Hinton 2012), as `torch.optim.RMSprop`: each parameter's step is divided by the running root mean square
//! of its gradient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Rule, decayed, lerp};
use crate::config::check::{Invalid, below_one, not_negative, positive};

/// `rmsprop`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rmsprop {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// The share of the running mean that is kept at each step (Keras's `rho`).
    #[serde(alias = "rho")]
    pub alpha: f64,
    /// Added to the root, so that nothing is divided by 0.
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// The share of the last step's direction that is kept.
    pub momentum: f64,
    /// Whether the gradient's running mean is subtracted, so that its variance divides.
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
}

impl Rmsprop {
    /// The running mean of squares, then that of gradients where it is subtracted, then the momentum where there is one.
    pub(super) fn memory(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum > 0.0)
    }

    pub(super) fn at_step(&self) -> Step {
        let Rmsprop { alpha, eps, momentum, centered, .. } = *self;
        Step { alpha, eps, momentum, centered }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    alpha: f64,
    eps: f64,
    momentum: f64,
    centered: bool,
}

impl Rule for Step {
    #[inline(always)]
    fn apply<N: Number>(
        &self,
        value: &N,
        gradient: &N,
        memory: &mut [N],
        rate: &N::Each,
        decay: Option<&N::Each>,
    ) -> N {
        let gradient = decayed(value, gradient, decay);
        let (square, others) = memory.split_first_mut().expect("the mean of squares");
        *square = square.scaled(self.alpha).plus(&gradient.scaled(1.0 - self.alpha).times(&gradient));
        let (variance, momentum) = match others {
            [] => (square.same(), None),
            [mean, momentum @ ..] if self.centered => {
                *mean = lerp(mean, &gradient, 1.0 - self.alpha).settled();
                (square.minus(&mean.times(mean)), momentum.first_mut())
            }
            [momentum, ..] => (square.same(), Some(momentum)),
        };
        let step = gradient.over(&variance.root().shifted(self.eps));
        let Some(momentum) = momentum.filter(|_| self.momentum != 0.0) else {
            return value.minus(&step.mul_per_replica(rate, 1.0));
        };
        *momentum = momentum.scaled(self.momentum).plus(&step).settled();
        value.minus(&momentum.mul_per_replica(rate, 1.0))
    }
}
