//! Stochastic gradient descent with momentum, as `torch.optim.SGD`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Update;
use crate::check::{Invalid, below_one, not_negative, positive, require};
use crate::train::optimizer::rates::{Rates, WeightDecay};

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

/// The rule and its momentum, `[replicas, parameters]`.
#[derive(Debug)]
pub struct Momentum {
    settings: Sgd,
    decay: WeightDecay,
    momentum: Option<Tensor>,
}

impl Momentum {
    pub(super) fn new(settings: Sgd, decay: WeightDecay) -> Self {
        Momentum { settings, decay, momentum: None }
    }
}

impl Update for Momentum {
    fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates) {
        let Sgd { momentum: kept, nesterov, .. } = self.settings;
        let gradient = self.decay.added_to(gradient, values);
        if kept == 0.0 {
            return rates.descend(values, &gradient, 1.0);
        }
        let momentum = match self.momentum.take() {
            None => gradient.copy(), // the first step's momentum is its gradient
            Some(mut momentum) => momentum.g_mul_scalar_(kept).g_add_(&gradient),
        };
        if nesterov {
            rates.descend(values, &(&gradient + &momentum * kept), 1.0);
        } else {
            rates.descend(values, &momentum, 1.0);
        }
        self.momentum = Some(momentum);
    }
}
