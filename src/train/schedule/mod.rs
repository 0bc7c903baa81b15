//! Learning-rate schedules, with the names and formulas of `torch.optim.lr_scheduler`.
//!
//! A schedule says which learning rate a replica takes at a step, from the one that its optimizer names. Most change it
//! from epoch to epoch; `one_cycle` and the climb of `warm_up` change it at every step.

pub mod decay;
pub mod learning_rates;
pub mod one_cycle;
pub mod place;
pub mod plateau;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, require};
use crate::config::shorthand::{FromNumber, named, number_or_table, size};
use crate::train::optimizer::Optimizer;
use crate::train::schedule::place::{Length, Place};

/// How the learning rate changes as training goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Times `gamma` after every so many epochs (StepLR).
    #[serde(deserialize_with = "number_or_table")]
    Step(decay::Step),
    /// Times `gamma` after every epoch (ExponentialLR).
    #[serde(deserialize_with = "number_or_table")]
    Exponential(decay::Exponential),
    /// Half a cosine from epoch to epoch, down to `min_lr` (CosineAnnealingLR).
    #[serde(alias = "cosine_annealing")]
    Cosine(decay::Cosine),
    /// Up and down again over all of training, step by step, and the momentum the other way (OneCycleLR).
    OneCycle(one_cycle::OneCycle),
    /// A climb from near 0, step by step, then another schedule (LinearLR in a SequentialLR).
    #[serde(deserialize_with = "number_or_table")]
    WarmUp(WarmUp),
    /// Times `factor` when a metric has stopped improving (ReduceLROnPlateau).
    ReduceOnPlateau(plateau::ReduceOnPlateau),
}

impl Schedule {
    /// The name in the file.
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

    /// Checks the settings, for training of so many epochs.
    ///
    /// # Errors
    /// When one is out of its range; the key is relative to the schedule's place.
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

    /// Checks the settings against the optimizer's.
    ///
    /// # Errors
    /// When the momentum is to be cycled and the optimizer has none; the key is relative to the schedule's place.
    pub fn check_momentum(&self, optimizer: &Optimizer) -> Result<(), Invalid> {
        let checked = self.one_cycle().map_or(Ok(()), |one_cycle| one_cycle.check_momentum(optimizer));
        checked.map_err(|fault| fault.under(self.name()))
    }

    /// States the defaults that depend on the optimizer.
    pub fn resolve(&mut self, optimizer: &Optimizer) {
        if let Schedule::OneCycle(one_cycle) = self {
            one_cycle.resolve(optimizer);
        }
    }

    /// Whether these defaults are stated.
    pub fn is_resolved(&self) -> bool {
        self.one_cycle().is_none_or(|one_cycle| one_cycle.cycle_momentum.is_some())
    }

    /// Leaves the momentum as it is, as versions did that could not cycle it.
    pub fn forget_momentum(&mut self) {
        if let Schedule::OneCycle(one_cycle) = self {
            one_cycle.forget_momentum();
        }
    }

    /// The momentum at a step; `None` where it stays as the optimizer's settings have it.
    pub fn momentum(&self, place: Place, length: Length) -> Option<f64> {
        self.one_cycle()?.momentum(place, length)
    }

    /// The largest momentum of all steps, where it is cycled.
    pub fn largest_momentum(&self) -> Option<f64> {
        self.one_cycle()?.momenta().map(|(base, max)| base.max(max))
    }

    /// `one_cycle`, which follows no warm-up.
    fn one_cycle(&self) -> Option<&one_cycle::OneCycle> {
        match self {
            Schedule::OneCycle(one_cycle) => Some(one_cycle),
            Schedule::Constant
            | Schedule::Step(_)
            | Schedule::Exponential(_)
            | Schedule::Cosine(_)
            | Schedule::WarmUp(_)
            | Schedule::ReduceOnPlateau(_) => None,
        }
    }

    /// The learning rate at a step, from the one that training started with (and that a plateau has reduced since).
    pub fn lr(&self, start: f64, place: Place, length: Length) -> f64 {
        match self {
            Schedule::Constant | Schedule::ReduceOnPlateau(_) => start,
            Schedule::Step(step) => step.lr(start, place.epoch),
            Schedule::Exponential(exponential) => exponential.lr(start, place.epoch),
            Schedule::Cosine(cosine) => cosine.lr(start, place.epoch, length.epochs),
            Schedule::OneCycle(one_cycle) => one_cycle.lr(start, place, length),
            Schedule::WarmUp(warm_up) => warm_up.lr(start, place, length),
        }
    }

    /// What waits for a plateau, with its key below the schedule's place and the number of epochs before it.
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
}

/// `warm_up`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmUp {
    /// How long it climbs.
    pub epochs: usize,
    /// What follows.
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
        require(self.epochs < epochs, "epochs", &format!("must be less than all {epochs} epochs"), self.epochs)?;
        if matches!(*self.then, Schedule::OneCycle(_) | Schedule::WarmUp(_)) {
            let message = format!("cannot be `{}`, which climbs by itself", self.then.name());
            return Err(Invalid::new("then", message).hint("use `\"cosine\"` or `{ step = { every = 10 } }`"));
        }
        self.then.check(epochs - self.epochs).map_err(|fault| fault.under("then"))
    }

    /// The learning rate at a step. Of W steps in all, step s, from 1, takes `lr · s / W`: the last one has all of `lr`, and
    /// the schedule that follows starts from there, as if training began with it and were shorter by the warm-up. In
    /// PyTorch this is `LinearLR(start_factor = 1 / W, total_iters = W − 1)`, stepped after each batch, then that schedule.
    fn lr(&self, start: f64, place: Place, length: Length) -> f64 {
        match place.epoch.checked_sub(self.epochs) {
            None => {
                let climbed = place.epoch * length.steps + place.step + 1;
                start * climbed as f64 / (self.epochs * length.steps) as f64
            }
            Some(epoch) => {
                let rest = Length { epochs: length.epochs - self.epochs, ..length };
                self.then.lr(start, Place { epoch, ..place }, rest)
            }
        }
    }
}
