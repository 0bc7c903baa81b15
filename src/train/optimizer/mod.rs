//! Optimizers, each an update rule over the whole parameter arena.
//!
//! A rule is written once, over [`number::Number`]: on the CPU [`update::Update`] runs it over the parameters' memory in
//! one pass, on a GPU over whole tensors.
//!
//! The rules, their defaults and their names are PyTorch's (`torch.optim`); tests hold each one against
//! PyTorch's steps. libtorch's own optimizers (through `tch::nn`) keep their state out of reach, and know one learning
//! rate for all parameters, where a stack needs one for each replica.

pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod number;
pub mod rates;
pub mod rmsprop;
pub mod rule;
pub mod sgd;
pub mod update;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use rule::Run;

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

    /// Whether it has a momentum that a schedule can change: that of SGD and RMSprop, the first beta of Adam and AdamW.
    pub fn has_momentum(&self) -> bool {
        match self {
            Optimizer::Sgd(_) | Optimizer::Rmsprop(_) | Optimizer::Adam(_) | Optimizer::Adamw(_) => true,
            Optimizer::Adagrad(_) => false,
        }
    }

    /// The same with this momentum; unchanged where it has none.
    pub fn with_momentum(&self, momentum: f64) -> Optimizer {
        match self.clone() {
            Optimizer::Sgd(sgd) => Optimizer::Sgd(sgd::Sgd { momentum, ..sgd }),
            Optimizer::Rmsprop(rmsprop) => Optimizer::Rmsprop(rmsprop::Rmsprop { momentum, ..rmsprop }),
            Optimizer::Adam(adam) => Optimizer::Adam(adam::Adam { betas: [momentum, adam.betas[1]], ..adam }),
            Optimizer::Adamw(adamw) => Optimizer::Adamw(adamw::AdamW { betas: [momentum, adamw.betas[1]], ..adamw }),
            Optimizer::Adagrad(adagrad) => Optimizer::Adagrad(adagrad),
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

    /// How many numbers are remembered of each parameter, and what they start from.
    pub(crate) fn memory(&self) -> (usize, f64) {
        match self {
            Optimizer::Sgd(sgd) => (sgd.memory(), 0.0),
            Optimizer::Rmsprop(rmsprop) => (rmsprop.memory(), 0.0),
            Optimizer::Adam(adam) => (adam.memory(), 0.0),
            Optimizer::Adamw(adamw) => (adamw.as_adam().memory(), 0.0),
            Optimizer::Adagrad(adagrad) => (1, adagrad.initial_accumulator_value),
        }
    }

    /// Runs the rule of a step; steps are counted from 1.
    fn at_step<R: Run>(&self, step: u64, run: R) {
        match self {
            Optimizer::Sgd(sgd) => run.with(sgd.at_step()),
            Optimizer::Rmsprop(rmsprop) => run.with(rmsprop.at_step()),
            Optimizer::Adam(adam) => run.with(adam.at_step(step, false)),
            Optimizer::Adamw(adamw) => run.with(adamw.as_adam().at_step(step, true)),
            Optimizer::Adagrad(adagrad) => run.with(adagrad.at_step(step)),
        }
    }
}
