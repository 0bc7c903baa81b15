//! Stochastic gradient descent with momentum, as `torch.optim.SGD`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Constants, Rule, add_weight_decay};
use crate::config::check::{Invalid, below_one, not_negative, positive, require};

/// Settings of SGD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// Factor of the previous step's direction.
    pub momentum: f64,
    /// Whether to use Nesterov momentum.
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

    /// Returns the number of values stored per parameter: the momentum buffer, if used.
    pub(super) fn memory(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    /// Returns the constants of every step.
    pub(super) fn constants(&self) -> [f64; 1] {
        [self.momentum]
    }

    /// Returns the settings with the defaults of those that replicas of a stack have separately.
    pub(super) fn shared(&self) -> Sgd {
        Sgd { nesterov: self.nesterov, ..Sgd::default() }
    }
}

/// One step of SGD.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) nesterov: bool,
}

impl Rule for Step {
    #[inline(always)]
    fn apply<N: Number>(
        &self,
        [factor, ..]: &Constants<N::PerReplica>,
        value: &N,
        gradient: &N,
        memory: &mut [N],
        rate: &N::PerReplica,
        decay: Option<&N::PerReplica>,
    ) -> N {
        let gradient = add_weight_decay(value, gradient, decay);
        // With a momentum of 0, which a schedule may pass through, PyTorch leaves the buffer unchanged.
        let Some(momentum) = memory.first_mut().filter(|_| !N::is_zero(factor)) else {
            return value.sub(&gradient.mul_each(rate));
        };
        let moved = momentum.mul_each(factor).add(&gradient).flush_tiny(); // starts at 0
        let direction = match self.nesterov {
            true => gradient.add(&moved.mul_each(factor)),
            false => moved.clone(),
        };
        *momentum = momentum.replace_unless_zero(moved, factor);
        value.sub(&direction.mul_each(rate))
    }
}
