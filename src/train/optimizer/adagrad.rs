//! Adagrad (Duchi, Hazan and Singer 2011), as `torch.optim.Adagrad`: each parameter's step is divided by the root of
//! the sum of its squared gradients so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Update;
use crate::check::{Invalid, not_negative, positive};
use crate::train::optimizer::rates::{Rates, WeightDecay};

/// `adagrad`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    /// Learning rate.
    #[serde(alias = "learning_rate")]
    pub lr: f64,
    /// At step t, from 0, the learning rate is divided by `1 + lr_decay · t`.
    pub lr_decay: f64,
    /// Added to the root, so that nothing is divided by 0.
    #[serde(alias = "epsilon")]
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// What the sums of squares start at.
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
}

/// The rule and its sums of squares, `[replicas, parameters]`.
#[derive(Debug)]
pub struct Sums {
    settings: Adagrad,
    decay: WeightDecay,
    steps: f64,
    squares: Option<Tensor>,
}

impl Sums {
    pub(super) fn new(settings: Adagrad, decay: WeightDecay) -> Self {
        Sums { settings, decay, steps: 0.0, squares: None }
    }
}

impl Update for Sums {
    fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates) {
        let Adagrad { lr_decay, eps, initial_accumulator_value: initial, .. } = self.settings;
        let gradient = self.decay.added_to(gradient, values);
        let squares = self.squares.get_or_insert_with(|| gradient.full_like(initial));
        let _ = squares.addcmul_(&gradient, &gradient);
        let root = squares.sqrt().g_add_scalar_(eps);
        rates.descend(values, &(&gradient / root), 1.0 / (1.0 + self.steps * lr_decay));
        self.steps += 1.0;
    }
}
