//! `one_cycle` (Smith and Topin 2018), as OneCycleLR: from `max_lr / div_factor` up to `max_lr` and down to almost
//! nothing, each half a cosine, at every step.
//!
//! The learning rate alone: PyTorch's `cycle_momentum`, which moves the momentum the other way, is not done.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, Place};
use crate::check::{Invalid, positive, require};

/// `one_cycle`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// The summit; the optimizer's `lr` where it is left out.
    pub max_lr: Option<f64>,
    /// The share of the steps that go up.
    pub pct_start: f64,
    /// The first step takes `max_lr` divided by this.
    pub div_factor: f64,
    /// The last step takes the first one's learning rate divided by this.
    pub final_div_factor: f64,
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle { max_lr: None, pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }
}

impl OneCycle {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        self.max_lr.map_or(Ok(()), |max_lr| positive("max_lr", max_lr))?;
        require(
            (0.0..=1.0).contains(&self.pct_start),
            "pct_start",
            "must be at least 0 and at most 1",
            self.pct_start,
        )?;
        positive("div_factor", self.div_factor)?;
        positive("final_div_factor", self.final_div_factor)
    }

    pub(super) fn lr(&self, start: f64, place: Place, length: Length) -> f64 {
        let max = self.max_lr.unwrap_or(start);
        let first = max / self.div_factor;
        let steps = (length.epochs * length.steps) as f64;
        let step = (place.epoch * length.steps + place.step) as f64;
        let (summit, end) = (self.pct_start * steps - 1.0, steps - 1.0);
        if step <= summit {
            along_cosine(first, max, step, summit)
        } else {
            along_cosine(max, first / self.final_div_factor, step - summit, end - summit)
        }
    }
}

/// Half a cosine between two rates, `done` of `all` steps along.
fn along_cosine(from: f64, to: f64, done: f64, all: f64) -> f64 {
    let share = if all == 0.0 { 1.0 } else { done / all };
    to + (from - to) / 2.0 * ((PI * share).cos() + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_of_a_step_or_two_has_a_rate() {
        for (epochs, steps) in [(1, 1), (1, 2), (2, 1), (1, 3), (10, 1)] {
            for pct_start in [0.0, 0.1, 0.3, 0.5, 1.0] {
                let cycle = OneCycle { max_lr: Some(0.1), pct_start, ..OneCycle::default() };
                for epoch in 0..epochs {
                    for step in 0..steps {
                        let lr = cycle.lr(0.5, Place { epoch, step }, Length { epochs, steps });
                        assert!(lr > 0.0 && lr <= 0.1, "{lr} in {epochs} epochs of {steps}, {pct_start} up");
                    }
                }
            }
        }
    }
}
