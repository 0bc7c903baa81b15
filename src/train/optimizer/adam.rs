//! Adam (Kingma and Ba 2015), as `torch.optim.Adam`: each parameter's step is its gradient's running mean divided by
//! the running root mean square, both corrected for having started at 0.
//!
//! With `amsgrad` (Reddi, Kale and Kumar 2018) the largest mean square so far divides, so that a step never grows
//! because a large gradient is being forgotten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Update;
use crate::check::{Invalid, below_one, not_negative, positive};
use crate::train::optimizer::rates::{Rates, WeightDecay};

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

/// Where the weight decay goes, which is all that Adam and AdamW differ in.
#[derive(Debug)]
pub(super) enum Decay {
    /// Into the gradient, and so through the running means: an L2 penalty.
    Gradient(WeightDecay),
    /// Straight off the weights, by `lr · weight_decay` of each.
    Weights(WeightDecay),
}

/// The rule and its running means.
#[derive(Debug)]
pub struct Moments {
    settings: Adam,
    decay: Decay,
    steps: i32,
    means: Option<Means>,
}

/// Each `[replicas, parameters]`.
#[derive(Debug)]
struct Means {
    gradient: Tensor,
    square: Tensor,
    largest_square: Option<Tensor>, // so far, for AMSGrad
}

impl Moments {
    pub(super) fn new(settings: Adam, decay: Decay) -> Self {
        Moments { settings, decay, steps: 0, means: None }
    }
}

impl Update for Moments {
    fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates) {
        let Adam { betas: [beta1, beta2], eps, amsgrad, .. } = self.settings;
        let gradient = match &self.decay {
            Decay::Gradient(decay) => decay.added_to(gradient, values),
            Decay::Weights(decay) => {
                decay.shrink(values, rates);
                gradient.shallow_clone()
            }
        };
        let means = self.means.get_or_insert_with(|| Means {
            gradient: gradient.zeros_like(),
            square: gradient.zeros_like(),
            largest_square: amsgrad.then(|| gradient.zeros_like()),
        });
        self.steps += 1;
        let _ = means.gradient.lerp_(&gradient, 1.0 - beta1);
        let _ = means.square.g_mul_scalar_(beta2).addcmul_(&(&gradient * (1.0 - beta2)), &gradient);
        let square = match &mut means.largest_square {
            Some(largest) => {
                *largest = largest.maximum(&means.square);
                largest
            }
            None => &means.square,
        };
        let correction1 = 1.0 - beta1.powi(self.steps);
        let correction2 = (1.0 - beta2.powi(self.steps)).sqrt();
        let root = square.sqrt().g_div_scalar_(correction2).g_add_scalar_(eps);
        rates.descend(values, &(&means.gradient / root), 1.0 / correction1);
    }
}
