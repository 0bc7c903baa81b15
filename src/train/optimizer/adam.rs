//! Adam (Kingma and Ba 2015), as `torch.optim.Adam`: each parameter's step is its gradient's running mean divided by
//! the running root mean square, both corrected for having started at 0.
//!
//! With `amsgrad` (Reddi, Kale and Kumar 2018) the largest mean square so far divides, so that a step never grows
//! because a large gradient is being forgotten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::rule::{Rule, decayed, lerp};
use crate::config::check::{Invalid, below_one, not_negative, positive};

/// `adam`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// The shares of the two running means that are kept at each step.
    pub betas: [f64; 2],
    /// Added to the root, so that nothing is divided by 0.
    #[serde(alias = "epsilon")]
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Whether the largest mean square so far divides, in place of the current one.
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
}

impl Adam {
    /// The running means of gradients and of squares, then the largest mean of squares so far, for AMSGrad.
    pub(super) fn memory(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    /// The step of this number, from 1; with `decoupled` the weight decay goes straight off the weights, which is all
    /// that AdamW differs in.
    pub(super) fn at_step(&self, step: u64, decoupled: bool) -> Step {
        let Adam { betas: [beta1, beta2], eps, .. } = *self;
        Step {
            beta1,
            beta2,
            eps,
            decoupled,
            of_rate: 1.0 / (1.0 - beta1.powf(step as f64)),
            of_root: 1.0 / (1.0 - beta2.powf(step as f64)).sqrt(),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    beta1: f64,
    beta2: f64,
    eps: f64,
    decoupled: bool,
    of_rate: f64, // corrects the mean gradient for having started at 0
    of_root: f64, // and this the root of the mean square
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
        let gradient = decayed(value, gradient, decay.filter(|_| !self.decoupled));
        let (mean, others) = memory.split_first_mut().expect("the mean gradient");
        let (square, others) = others.split_first_mut().expect("the mean square");
        *mean = lerp(mean, &gradient, 1.0 - self.beta1).settled();
        *square = square.scaled(self.beta2).plus(&gradient.scaled(1.0 - self.beta2).times(&gradient));
        let divisor = match others.first_mut() {
            Some(largest) => {
                *largest = largest.larger(square);
                largest.root()
            }
            None => square.root(),
        };
        let direction = mean.over(&divisor.scaled(self.of_root).shifted(self.eps));
        let step = direction.mul_per_replica(rate, self.of_rate);
        match decay.filter(|_| self.decoupled) {
            Some(decay) => value.shrunk(rate, decay).minus(&step),
            None => value.minus(&step),
        }
    }
}
