//! Schedules whose learning rate is a function of the epoch: `step`, `exponential` and `cosine`.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, not_negative, positive};
use crate::config::shorthand::{FromNumber, size};

/// StepLR: `lr · gamma^⌊epoch / every⌋`, epochs from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Number of epochs between two changes.
    #[serde(alias = "step_size")]
    pub every: usize,
    /// Factor of the learning rate.
    #[serde(default = "tenth")]
    pub gamma: f64,
}

fn tenth() -> f64 {
    0.1
}

impl FromNumber for Step {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(Step { every: size(number, "`step`, a number of epochs,")?, gamma: tenth() })
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

/// ExponentialLR: `lr · gamma^epoch`, epochs from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Factor of the learning rate.
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

/// CosineAnnealingLR with `T_max` = number of epochs: from `lr` towards `min_lr`, which would be reached one epoch
/// after the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Final learning rate.
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
