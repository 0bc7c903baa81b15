//! RMSprop (Hinton 2012), as `torch.optim.RMSprop`: each parameter's step is divided by the running root mean square
//! of its gradient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Update;
use crate::check::{Invalid, below_one, not_negative, positive};
use crate::train::optimizer::rates::{Rates, WeightDecay};

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

/// The rule and its running means, each `[replicas, parameters]`.
#[derive(Debug)]
pub struct Averages {
    settings: Rmsprop,
    decay: WeightDecay,
    square: Option<Tensor>,
    mean: Option<Tensor>,
    momentum: Option<Tensor>,
}

impl Averages {
    pub(super) fn new(settings: Rmsprop, decay: WeightDecay) -> Self {
        Averages { settings, decay, square: None, mean: None, momentum: None }
    }
}

impl Update for Averages {
    fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates) {
        let Rmsprop { alpha, eps, momentum: kept, centered, .. } = self.settings;
        let gradient = self.decay.added_to(gradient, values);
        let square = self.square.get_or_insert_with(|| gradient.zeros_like());
        let _ = square.g_mul_scalar_(alpha).addcmul_(&(&gradient * (1.0 - alpha)), &gradient);
        let mut root = if centered {
            let mean = self.mean.get_or_insert_with(|| gradient.zeros_like());
            let _ = mean.lerp_(&gradient, 1.0 - alpha);
            (&*square - &*mean * &*mean).sqrt()
        } else {
            square.sqrt()
        };
        let step = &gradient / root.g_add_scalar_(eps);
        if kept == 0.0 {
            return rates.descend(values, &step, 1.0);
        }
        let momentum = self.momentum.get_or_insert_with(|| gradient.zeros_like());
        let _ = momentum.g_mul_scalar_(kept).g_add_(&step);
        rates.descend(values, momentum, 1.0);
    }
}
