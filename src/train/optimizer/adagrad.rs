//! Adagrad (Duchi, Hazan and Singer 2011), as `torch.optim.Adagrad`: divides each parameter's step by the root of the
//! sum of its squared gradients so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Constants, Rule, add_weight_decay};
use crate::config::check::{Invalid, not_negative, positive};

/// Settings of Adagrad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// At step t, from 0, the learning rate is divided by `1 + lr_decay · t`.
    pub lr_decay: f64,
    /// Added to the root to avoid division by 0.
    #[serde(alias = "epsilon")]
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Initial value of the sums of squares.
    pub initial_accumulator_value: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad { lr: 1e-2, lr_decay: 0.0, eps: 1e-10, weight_decay: 0.0, initial_accumulator_value: 0.0 }
    }
}

impl Adagrad {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("lr", self.lr)?;
        not_negative("lr_decay", self.lr_decay)?;
        not_negative("eps", self.eps)?;
        not_negative("weight_decay", self.weight_decay)?;
        not_negative("initial_accumulator_value", self.initial_accumulator_value)
    }

    /// Returns the constants of a step, counted from 1; the second is the factor of its learning rate.
    pub(super) fn constants(&self, step: u64) -> [f64; 2] {
        [self.eps, 1.0 / (1.0 + (step - 1) as f64 * self.lr_decay)]
    }
}

/// One step of Adagrad.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step;

impl Rule for Step {
    #[inline(always)]
    fn apply<N: Number>(
        &self,
        [eps, rate_factor, ..]: &Constants<N::PerReplica>,
        value: &N,
        gradient: &N,
        memory: &mut [N],
        rate: &N::PerReplica,
        decay: Option<&N::PerReplica>,
    ) -> N {
        let gradient = add_weight_decay(value, gradient, decay);
        let squares = memory.first_mut().expect("the sum of squares");
        *squares = squares.add(&gradient.mul(&gradient));
        let direction = gradient.div(&squares.sqrt().add_each(eps));
        value.sub(&direction.mul_product(rate, rate_factor))
    }
}
