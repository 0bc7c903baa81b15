//! Stochastic gradient descent with momentum, as `torch.optim.SGD`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Rule, add_weight_decay};
use crate::config::check::{Invalid, below_one, not_negative, positive, require};
use crate::config::shorthand::FromNumber;

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

impl FromNumber for Sgd {
    fn from_number(lr: f64) -> Result<Self, String> {
        Ok(Sgd { lr, ..Sgd::default() })
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
    /// Returns the number of values stored per parameter: the momentum buffer, if used.
    pub(super) fn memory(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    pub(super) fn at_step(&self) -> Step {
        Step { momentum: self.momentum, nesterov: self.nesterov }
    }
}

/// Constants of one step.
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
        rate: &N::PerReplica,
        decay: Option<&N::PerReplica>,
    ) -> N {
        let gradient = add_weight_decay(value, gradient, decay);
        // With a momentum of 0, which a schedule may pass through, PyTorch leaves the buffer unchanged.
        let Some(momentum) = memory.first_mut().filter(|_| self.momentum != 0.0) else {
            return value.sub(&gradient.mul_per_replica(rate, 1.0));
        };
        *momentum = momentum.mul_scalar(self.momentum).add(&gradient).flush_tiny(); // starts at 0
        let direction = match self.nesterov {
            true => gradient.add(&momentum.mul_scalar(self.momentum)),
            false => momentum.clone(),
        };
        value.sub(&direction.mul_per_replica(rate, 1.0))
    }
}
