//! Optimizers: update rules over the parameter arena.
//!
//! A rule is written once, over [`number::Number`]: on the CPU [`update::Update`] applies it to memory in one pass, on
//! a GPU to tensors of all parameters. To add an optimizer, see `docs/internals/adding-an-optimizer.md`.
//!
//! Rules, defaults and names are those of `torch.optim`; tests compare the steps with PyTorch's. libtorch's own
//! optimizers (in `tch::nn`) do not expose their state, and have one learning rate for all parameters, whereas a stack
//! needs one for each replica. All numbers among the settings may differ between the replicas of a stack.

pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod number;
pub mod rmsprop;
pub mod rule;
pub mod sgd;
pub mod update;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::config::shorthand::{FromNumber, number_or_table};
use rule::{ApplyRule, Constants, constants};

/// Optimizer and its hyperparameters; a number is the learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    #[serde(deserialize_with = "number_or_table")]
    Sgd(sgd::Sgd),
    /// RMSprop (Hinton 2012).
    #[serde(alias = "rms_prop", deserialize_with = "number_or_table")]
    Rmsprop(rmsprop::Rmsprop),
    /// Adam (Kingma and Ba 2015).
    #[serde(deserialize_with = "number_or_table")]
    Adam(adam::Adam),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    #[serde(alias = "adam_w", deserialize_with = "number_or_table")]
    Adamw(adamw::AdamW),
    /// Adagrad (Duchi, Hazan and Singer 2011).
    #[serde(deserialize_with = "number_or_table")]
    Adagrad(adagrad::Adagrad),
}

/// Lets a number stand for the settings of an optimizer: its learning rate.
macro_rules! from_learning_rate {
    ($($settings:ty),+) => {
        $(impl FromNumber for $settings {
            fn from_number(lr: f64) -> Result<Self, String> {
                Ok(Self { lr, ..Self::default() })
            }
        })+
    };
}
from_learning_rate!(sgd::Sgd, rmsprop::Rmsprop, adam::Adam, adamw::AdamW, adagrad::Adagrad);

impl Optimizer {
    /// Returns the name in experiment files.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd(_) => "sgd",
            Optimizer::Rmsprop(_) => "rmsprop",
            Optimizer::Adam(_) => "adam",
            Optimizer::Adamw(_) => "adamw",
            Optimizer::Adagrad(_) => "adagrad",
        }
    }

    /// Returns the learning rate from which a schedule starts.
    pub fn lr(&self) -> f64 {
        match self {
            Optimizer::Sgd(sgd) => sgd.lr,
            Optimizer::Rmsprop(rmsprop) => rmsprop.lr,
            Optimizer::Adam(adam) => adam.lr,
            Optimizer::Adamw(adamw) => adamw.lr,
            Optimizer::Adagrad(adagrad) => adagrad.lr,
        }
    }

    /// Returns the weight decay: the factor of the L2 penalty, or of decoupled weight decay.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Optimizer::Sgd(sgd) => sgd.weight_decay,
            Optimizer::Rmsprop(rmsprop) => rmsprop.weight_decay,
            Optimizer::Adam(adam) => adam.weight_decay,
            Optimizer::Adamw(adamw) => adamw.weight_decay,
            Optimizer::Adagrad(adagrad) => adagrad.weight_decay,
        }
    }

    /// Returns the optimizer with the defaults of all settings that replicas of a stack have separately.
    pub fn shared(&self) -> Optimizer {
        match self {
            Optimizer::Sgd(sgd) => Optimizer::Sgd(sgd.shared()),
            Optimizer::Rmsprop(rmsprop) => Optimizer::Rmsprop(rmsprop.shared()),
            Optimizer::Adam(adam) => Optimizer::Adam(adam.shared()),
            Optimizer::Adamw(adamw) => Optimizer::Adamw(adamw.shared()),
            Optimizer::Adagrad(_) => Optimizer::Adagrad(adagrad::Adagrad::default()),
        }
    }

    /// Returns whether a schedule can change a momentum: that of SGD and RMSprop, the first beta of Adam and AdamW.
    pub fn has_momentum(&self) -> bool {
        match self {
            Optimizer::Sgd(_) | Optimizer::Rmsprop(_) | Optimizer::Adam(_) | Optimizer::Adamw(_) => true,
            Optimizer::Adagrad(_) => false,
        }
    }

    /// Returns the optimizer with this momentum; unchanged if it has none.
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
    /// When a setting is out of range. Keys are relative to the optimizer.
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

    /// Returns the number of values stored per parameter, and their initial value.
    pub(crate) fn memory(&self) -> (usize, f64) {
        match self {
            Optimizer::Sgd(sgd) => (sgd.memory(), 0.0),
            Optimizer::Rmsprop(rmsprop) => (rmsprop.memory(), 0.0),
            Optimizer::Adam(adam) => (adam.memory(), 0.0),
            Optimizer::Adamw(adamw) => (adamw.as_adam().memory(), 0.0),
            Optimizer::Adagrad(adagrad) => (1, adagrad.initial_accumulator_value),
        }
    }

    /// Returns the constants of a step; steps are counted from 1.
    fn constants(&self, step: u64) -> Constants<f64> {
        match self {
            Optimizer::Sgd(sgd) => constants(sgd.constants()),
            Optimizer::Rmsprop(rmsprop) => constants(rmsprop.constants()),
            Optimizer::Adam(adam) => constants(adam.constants(step)),
            Optimizer::Adamw(adamw) => constants(adamw.as_adam().constants(step)),
            Optimizer::Adagrad(adagrad) => constants(adagrad.constants(step)),
        }
    }

    /// Applies the rule.
    fn apply<R: ApplyRule>(&self, target: R) {
        match self {
            Optimizer::Sgd(sgd) => target.apply_rule(sgd::Step { nesterov: sgd.nesterov }),
            Optimizer::Rmsprop(rmsprop) => target.apply_rule(rmsprop::Step { centered: rmsprop.centered }),
            Optimizer::Adam(_) => target.apply_rule(adam::Step { decoupled: false }),
            Optimizer::Adamw(_) => target.apply_rule(adam::Step { decoupled: true }),
            Optimizer::Adagrad(_) => target.apply_rule(adagrad::Step),
        }
    }
}
