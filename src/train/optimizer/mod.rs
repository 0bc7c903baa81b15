//! Optimizers, each a few operations on the whole parameter arena.
//!
//! The update rules, their defaults and their names are PyTorch's (`torch.optim`); tests hold each one against
//! PyTorch's steps. libtorch's own optimizers (through `tch::nn`) keep their state out of reach, and know one learning
//! rate for all parameters, where a stack needs one for each replica.

pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod rates;
pub mod rmsprop;
pub mod sgd;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::check::Invalid;
use rates::{Rates, WeightDecay};

/// How the loss is minimized.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Stochastic gradient descent, with momentum.
    Sgd(sgd::Sgd),
    /// RMSprop (Hinton 2012).
    #[serde(alias = "rms_prop")]
    Rmsprop(rmsprop::Rmsprop),
    /// Adam (Kingma and Ba 2015).
    Adam(adam::Adam),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    #[serde(alias = "adam_w")]
    Adamw(adamw::AdamW),
    /// Adagrad (Duchi, Hazan and Singer 2011).
    Adagrad(adagrad::Adagrad),
}

/// A rule that moves the parameters down their gradient, with what it remembers between steps.
pub trait Update: std::fmt::Debug {
    /// One step, in place. Called without gradients being tracked.
    ///
    /// # Shapes
    /// `values` and `gradient` are `[replicas, parameters]`.
    fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates);
}

impl Optimizer {
    /// The name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd(_) => "sgd",
            Optimizer::Rmsprop(_) => "rmsprop",
            Optimizer::Adam(_) => "adam",
            Optimizer::Adamw(_) => "adamw",
            Optimizer::Adagrad(_) => "adagrad",
        }
    }

    /// The learning rate that a schedule starts from.
    pub fn lr(&self) -> f64 {
        match self {
            Optimizer::Sgd(sgd) => sgd.lr,
            Optimizer::Rmsprop(rmsprop) => rmsprop.lr,
            Optimizer::Adam(adam) => adam.lr,
            Optimizer::Adamw(adamw) => adamw.lr,
            Optimizer::Adagrad(adagrad) => adagrad.lr,
        }
    }

    /// The share of each weight that is added to its gradient, or taken off it.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Optimizer::Sgd(sgd) => sgd.weight_decay,
            Optimizer::Rmsprop(rmsprop) => rmsprop.weight_decay,
            Optimizer::Adam(adam) => adam.weight_decay,
            Optimizer::Adamw(adamw) => adamw.weight_decay,
            Optimizer::Adagrad(adagrad) => adagrad.weight_decay,
        }
    }

    /// The same with this learning rate and weight decay.
    pub fn with(&self, lr: f64, weight_decay: f64) -> Optimizer {
        match self.clone() {
            Optimizer::Sgd(sgd) => Optimizer::Sgd(sgd::Sgd { lr, weight_decay, ..sgd }),
            Optimizer::Rmsprop(rmsprop) => Optimizer::Rmsprop(rmsprop::Rmsprop { lr, weight_decay, ..rmsprop }),
            Optimizer::Adam(adam) => Optimizer::Adam(adam::Adam { lr, weight_decay, ..adam }),
            Optimizer::Adamw(adamw) => Optimizer::Adamw(adamw::AdamW { lr, weight_decay, ..adamw }),
            Optimizer::Adagrad(adagrad) => Optimizer::Adagrad(adagrad::Adagrad { lr, weight_decay, ..adagrad }),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When one is out of its range; the key is relative to the optimizer's place.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Optimizer::Sgd(sgd) => sgd.check(),
            Optimizer::Rmsprop(rmsprop) => rmsprop.check(),
            Optimizer::Adam(adam) => adam.check(),
            Optimizer::Adamw(adamw) => adamw.check(),
            Optimizer::Adagrad(adagrad) => adagrad.check(),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// The rule, remembering nothing yet, for replicas that all have these settings.
    pub fn start(&self, device: Device) -> Box<dyn Update> {
        self.start_each(&[self.weight_decay()], device)
    }

    /// The rule with a weight decay for each replica, in place of the one that the settings have.
    pub fn start_each(&self, weight_decays: &[f64], device: Device) -> Box<dyn Update> {
        let decay = WeightDecay::new(weight_decays, device);
        match self {
            Optimizer::Sgd(sgd) => Box::new(sgd::Momentum::new(sgd.clone(), decay)),
            Optimizer::Rmsprop(rmsprop) => Box::new(rmsprop::Averages::new(rmsprop.clone(), decay)),
            Optimizer::Adam(adam) => Box::new(adam::Moments::new(adam.clone(), adam::Decay::Gradient(decay))),
            Optimizer::Adamw(adamw) => Box::new(adamw.start(decay)),
            Optimizer::Adagrad(adagrad) => Box::new(adagrad::Sums::new(adagrad.clone(), decay)),
        }
    }
}
