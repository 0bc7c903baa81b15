//! Stochastic gradient descent with momentum, as `torch.optim.SGD`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Rule, decayed};
use crate::config::check::{Invalid, below_one, not_negative, positive, require};

/// `sgd`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// The share of the last step's direction that is kept.
    pub momentum: f64,
    /// Whether the gradient is taken ahead of the momentum step (Nesterov).
    pub nesterov: bool,
    /// L2 penalty.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { lr: 1e-3, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl Sgd {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("lr", self.lr)?;
        below_one("momentum", self.momentum)?;
        not_negative("weight_decay", self.weight_decay)?;
        require(!self.nesterov || self.momentum > 0.0, "nesterov", "needs a momentum above 0", "none")
    }
}

impl Sgd {
    /// The momentum, where there is one.
    pub(super) fn memory(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    pub(super) fn at_step(&self) -> Step {
        Step { momentum: self.momentum, nesterov: self.nesterov }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    momentum: f64,
    nesterov: bool,
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
        // at a momentum of 0, which a schedule may pass through, PyTorch leaves what is remembered as it is
        let Some(momentum) = memory.first_mut().filter(|_| self.momentum != 0.0) else {
            return value.minus(&gradient.mul_per_replica(rate, 1.0));
        };
        *momentum = momentum.scaled(self.momentum).plus(&gradient).settled(); // from 0, so at first it is the gradient
        let direction = match self.nesterov {
            true => gradient.plus(&momentum.scaled(self.momentum)),
            false => momentum.same(),
        };
        value.minus(&direction.mul_per_replica(rate, 1.0))
    }
}
