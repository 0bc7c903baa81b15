//! Adam (Kingma and Ba 2015), as `torch.optim.Adam`: each parameter's step is its gradient's running mean divided by
//! the running root mean square, both corrected for having started at 0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Update, decayed};
use crate::check::{Invalid, below_one, not_negative, positive};
use crate::train::optimizer::rates::Rates;

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
}

impl Default for Adam {
    fn default() -> Self {
        Adam { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0 }
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

/// The rule and its running means, each `[replicas, parameters]`.
#[derive(Debug)]
pub struct Moments {
    settings: Adam,
    steps: i32,
    means: Option<(Tensor, Tensor)>, // of the gradient, and of its square
}

impl Moments {
    pub(super) fn new(settings: Adam) -> Self {
        Moments { settings, steps: 0, means: None }
    }
}

impl Update for Moments {
    fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates) {
        let Adam { betas: [beta1, beta2], eps, weight_decay, .. } = self.settings;
        let gradient = decayed(gradient, values, weight_decay);
        let (mean, square) = self.means.get_or_insert_with(|| (gradient.zeros_like(), gradient.zeros_like()));
        self.steps += 1;
        let _ = mean.lerp_(&gradient, 1.0 - beta1);
        let _ = square.g_mul_scalar_(beta2).addcmul_(&(&gradient * (1.0 - beta2)), &gradient);
        let correction1 = 1.0 - beta1.powi(self.steps);
        let correction2 = (1.0 - beta2.powi(self.steps)).sqrt();
        let root = square.sqrt().g_div_scalar_(correction2).g_add_scalar_(eps);
        rates.descend(values, &(&*mean / root), 1.0 / correction1);
    }
}
