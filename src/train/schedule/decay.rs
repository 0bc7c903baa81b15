//! Schedules that are a formula of the epoch: `step`, `exponential` and `cosine`.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, not_negative, positive};
use crate::config::shorthand::{FromNumber, size};

/// `step`, as StepLR: `lr · gamma^⌊epoch / every⌋`, epochs from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// After how many epochs, again and again.
    #[serde(alias = "step_size")]
    pub every: usize,
    /// The factor.
    #[serde(default = "a_tenth")]
    pub gamma: f64,
}

fn a_tenth() -> f64 {
    0.1
}

impl FromNumber for Step {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(Step { every: size(number, "`step`, a number of epochs,")?, gamma: a_tenth() })
    }
}

impl Step {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        at_least_one("every", self.every)?;
        positive("gamma", self.gamma)
    }

    pub(super) fn lr(&self, start: f64, epoch: usize) -> f64 {
        start * self.gamma.powf((epoch / self.every) as f64)
    }
}

/// `exponential`, as ExponentialLR: `lr · gamma^epoch`, epochs from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The factor.
    pub gamma: f64,
}

impl FromNumber for Exponential {
    fn from_number(gamma: f64) -> Result<Self, String> {
        Ok(Exponential { gamma })
    }
}

impl Exponential {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("gamma", self.gamma)
    }

    pub(super) fn lr(&self, start: f64, epoch: usize) -> f64 {
        start * self.gamma.powf(epoch as f64)
    }
}

/// `cosine`, as CosineAnnealingLR with `T_max` = all epochs: from `lr` towards `min_lr`, which the epoch after the last
/// would have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Where it leads.
    #[serde(alias = "eta_min")]
    pub min_lr: f64,
}

impl Cosine {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        not_negative("min_lr", self.min_lr)
    }

    pub(super) fn lr(&self, start: f64, epoch: usize, epochs: usize) -> f64 {
        let share = epoch as f64 / epochs as f64;
        self.min_lr + (start - self.min_lr) * (1.0 + (PI * share).cos()) / 2.0
    }
}
