//! Learning-rate schedules, with the names and formulas of `torch.optim.lr_scheduler`.
//!
//! A schedule returns the learning rate of a replica in each step, starting from that of its optimizer. Most change it
//! once per epoch; `one_cycle` and `warm_up` change it in every step.

pub mod decay;
pub mod learning_rates;
pub mod one_cycle;
pub mod plateau;
pub mod step_position;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, require};
use crate::config::shorthand::{FromNumber, named, number_or_table, size};
use crate::train::optimizer::Optimizer;
use crate::train::schedule::step_position::{Length, StepPosition};

/// Learning-rate schedule and its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Constant learning rate.
    #[default]
    #[serde(alias = "none")]
    Constant,
    /// Multiplied by `gamma` every `every` epochs (StepLR).
    #[serde(deserialize_with = "number_or_table")]
    Step(decay::Step),
    /// Multiplied by `gamma` after every epoch (ExponentialLR).
    #[serde(deserialize_with = "number_or_table")]
    Exponential(decay::Exponential),
    /// Half a cosine from epoch to epoch, down to `min_lr` (CosineAnnealingLR).
    #[serde(alias = "cosine_annealing")]
    Cosine(decay::Cosine),
    /// Up and down once over all steps of training, and the momentum in the opposite direction (OneCycleLR).
    OneCycle(one_cycle::OneCycle),
    /// Linear increase from near 0 in each step, then another schedule (LinearLR in a SequentialLR).
    #[serde(deserialize_with = "number_or_table")]
    WarmUp(WarmUp),
    /// Multiplied by `factor` when a metric stops improving (ReduceLROnPlateau).
    ReduceOnPlateau(plateau::ReduceOnPlateau),
}

impl Schedule {
    /// Returns the name in experiment files.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant => "constant",
            Schedule::Step(_) => "step",
            Schedule::Exponential(_) => "exponential",
            Schedule::Cosine(_) => "cosine",
            Schedule::OneCycle(_) => "one_cycle",
            Schedule::WarmUp(_) => "warm_up",
            Schedule::ReduceOnPlateau(_) => "reduce_on_plateau",
        }
    }

    /// Checks the settings for training of `epochs` epochs.
    ///
    /// # Errors
    /// When a setting is out of range. Keys are relative to the schedule.
    pub fn check(&self, epochs: usize) -> Result<(), Invalid> {
        match self {
            Schedule::Constant => Ok(()),
            Schedule::Step(step) => step.check(),
            Schedule::Exponential(exponential) => exponential.check(),
            Schedule::Cosine(cosine) => cosine.check(),
            Schedule::OneCycle(one_cycle) => one_cycle.check(),
            Schedule::WarmUp(warm_up) => warm_up.check(epochs),
            Schedule::ReduceOnPlateau(plateau) => plateau.check(),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// Checks the settings against the optimizer.
    ///
    /// # Errors
    /// When the schedule cycles the momentum and the optimizer has none. Keys are relative to the schedule.
    pub fn check_momentum(&self, optimizer: &Optimizer) -> Result<(), Invalid> {
        let checked = self.one_cycle().map_or(Ok(()), |one_cycle| one_cycle.check_momentum(optimizer));
        checked.map_err(|fault| fault.under(self.name()))
    }

    /// Fills in the defaults that depend on the optimizer.
    pub fn resolve(&mut self, optimizer: &Optimizer) {
        if let Schedule::OneCycle(one_cycle) = self {
            one_cycle.resolve(optimizer);
        }
    }

    /// Returns whether these defaults are filled in.
    pub fn is_resolved(&self) -> bool {
        self.one_cycle().is_none_or(|one_cycle| one_cycle.cycle_momentum.is_some())
    }

    /// Turns momentum cycling off, as in versions that did not have it.
    pub fn forget_momentum(&mut self) {
        if let Schedule::OneCycle(one_cycle) = self {
            (one_cycle.cycle_momentum, one_cycle.base_momentum, one_cycle.max_momentum) = (None, None, None);
        }
    }

    /// Returns the momentum of a step; `None` if it is that of the optimizer's settings.
    pub fn momentum(&self, position: StepPosition, length: Length) -> Option<f64> {
        self.one_cycle()?.momentum(position, length)
    }

    /// Returns the largest momentum of all steps, if it is cycled.
    pub fn largest_momentum(&self) -> Option<f64> {
        self.one_cycle()?.momenta().map(|(base, max)| base.max(max))
    }

    /// Returns the settings of `one_cycle`, if it is this schedule. It cannot follow a warm-up.
    fn one_cycle(&self) -> Option<&one_cycle::OneCycle> {
        match self {
            Schedule::OneCycle(one_cycle) => Some(one_cycle),
            _ => None,
        }
    }

    /// Returns whether the learning rates of the first epochs depend on the total number of epochs.
    pub fn depends_on_epochs(&self) -> bool {
        match self {
            Schedule::Cosine(_) | Schedule::OneCycle(_) => true,
            Schedule::WarmUp(warm_up) => warm_up.then.depends_on_epochs(),
            Schedule::Constant | Schedule::Step(_) | Schedule::Exponential(_) | Schedule::ReduceOnPlateau(_) => false,
        }
    }

    /// Returns the learning rate of a step. `start` is the initial one, which `reduce_on_plateau` may have reduced
    /// since.
    pub fn lr(&self, start: f64, position: StepPosition, length: Length) -> f64 {
        match self {
            Schedule::Constant | Schedule::ReduceOnPlateau(_) => start,
            Schedule::Step(step) => step.lr(start, position.epoch),
            Schedule::Exponential(exponential) => exponential.lr(start, position.epoch),
            Schedule::Cosine(cosine) => cosine.lr(start, position.epoch, length.epochs),
            Schedule::OneCycle(one_cycle) => one_cycle.lr(start, position, length),
            Schedule::WarmUp(warm_up) => warm_up.lr(start, position, length),
        }
    }

    /// Returns the settings of `reduce_on_plateau` if the schedule contains it, with its key and the number of epochs
    /// before it.
    pub fn plateau(&self) -> Option<(&plateau::ReduceOnPlateau, String, usize)> {
        match self {
            Schedule::ReduceOnPlateau(plateau) => Some((plateau, self.name().to_owned(), 0)),
            Schedule::WarmUp(warm_up) => {
                let (plateau, key, before) = warm_up.then.plateau()?;
                Some((plateau, format!("warm_up.then.{key}"), warm_up.epochs + before))
            }
            _ => None,
        }
    }

    /// Returns the mutable settings of `reduce_on_plateau` if the schedule contains it.
    pub fn plateau_mut(&mut self) -> Option<&mut plateau::ReduceOnPlateau> {
        match self {
            Schedule::ReduceOnPlateau(plateau) => Some(plateau),
            Schedule::WarmUp(warm_up) => warm_up.then.plateau_mut(),
            _ => None,
        }
    }
}

/// Settings of `warm_up`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmUp {
    /// Number of epochs with increasing learning rate.
    pub epochs: usize,
    /// Schedule that follows.
    #[serde(default, deserialize_with = "named")]
    pub then: Box<Schedule>,
}

impl FromNumber for WarmUp {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(WarmUp { epochs: size(number, "`warm_up`, a number of epochs,")?, then: Box::default() })
    }
}

impl WarmUp {
    fn check(&self, epochs: usize) -> Result<(), Invalid> {
        at_least_one("epochs", self.epochs)?;
        let bound = format!("must be below the number of epochs ({epochs})");
        require(self.epochs < epochs, "epochs", &bound, self.epochs)?;
        if matches!(*self.then, Schedule::OneCycle(_) | Schedule::WarmUp(_)) {
            let message = format!("cannot be `{}`, which has its own warm-up", self.then.name());
            return Err(Invalid::new("then", message).hint("use `\"cosine\"` or `{ step = { every = 10 } }`"));
        }
        self.then.check(epochs - self.epochs).map_err(|fault| fault.under("then"))
    }

    /// Returns the learning rate of a step. In step s, from 1, of W warm-up steps it is `lr · s / W`, so the last one
    /// has `lr`. The next schedule starts there, as if training began then. In PyTorch: `LinearLR(start_factor = 1 / W,
    /// total_iters = W − 1)` stepped after each batch, then that schedule.
    fn lr(&self, start: f64, position: StepPosition, length: Length) -> f64 {
        match position.epoch.checked_sub(self.epochs) {
            None => {
                let climbed = position.epoch * length.steps + position.step + 1;
                start * climbed as f64 / (self.epochs * length.steps) as f64
            }
            Some(epoch) => {
                let rest = Length { epochs: length.epochs - self.epochs, ..length };
                self.then.lr(start, StepPosition { epoch, ..position }, rest)
            }
        }
    }
}
