//! `warm_up`: some epochs in which the learning rate climbs step by step, then another schedule.
//!
//! Of W steps in all, step s, from 1, takes `lr · s / W`: the last one has all of `lr`, and the schedule that follows
//! starts from there, as if training began with it and were shorter by the warm-up. In PyTorch this is
//! `LinearLR(start_factor = 1 / W, total_iters = W − 1)`, stepped after each batch, then that schedule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, Place, Schedule};
use crate::config::check::{Invalid, at_least_one, require};
use crate::config::shorthand::{FromNumber, named, size};

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
    pub(super) fn check(&self, epochs: usize) -> Result<(), Invalid> {
        at_least_one("epochs", self.epochs)?;
        require(self.epochs < epochs, "epochs", &format!("must be less than all {epochs} epochs"), self.epochs)?;
        if matches!(*self.then, Schedule::OneCycle(_) | Schedule::WarmUp(_)) {
            let message = format!("cannot be `{}`, which climbs by itself", self.then.name());
            return Err(Invalid::new("then", message).hint("use `\"cosine\"` or `{ step = { every = 10 } }`"));
        }
        self.then.check(epochs - self.epochs).map_err(|fault| fault.under("then"))
    }

    pub(super) fn lr(&self, start: f64, place: Place, length: Length) -> f64 {
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
