//! `one_cycle` (Smith and Topin 2018), as OneCycleLR: from `max_lr / div_factor` up to `max_lr` and down to almost 0,
//! each along half a cosine, in every step.
//!
//! The momentum changes in the opposite direction, as is PyTorch's default: from `max_momentum` down to `base_momentum`
//! and back. It is the momentum of SGD and RMSprop (also if the optimizer's settings have a momentum of 0) and the
//! first beta of Adam and AdamW. With `cycle_momentum = false` it stays that of the optimizer. Adagrad has no momentum:
//! `cycle_momentum = true` is an error there, as in PyTorch, and the default is off.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step_position::{Length, StepPosition};
use crate::config::check::{Invalid, below_one, positive, require};
use crate::train::optimizer::Optimizer;

/// Momentum at the largest learning rate, and at the start and the end.
const MOMENTUM: (f64, f64) = (0.85, 0.95);

/// Settings of `one_cycle`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// Largest learning rate; the default is the optimizer's `lr`.
    pub max_lr: Option<f64>,
    /// Share of the steps with increasing learning rate.
    pub pct_start: f64,
    /// The first learning rate is `max_lr` divided by this.
    pub div_factor: f64,
    /// The last learning rate is the first one divided by this.
    pub final_div_factor: f64,
    /// Whether the momentum is cycled; by default if the optimizer has one.
    pub cycle_momentum: Option<bool>,
    /// Lowest momentum, at the largest learning rate; 0.85 by default.
    pub base_momentum: Option<f64>,
    /// Momentum of the first and of the last step; 0.95 by default.
    pub max_momentum: Option<f64>,
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle {
            max_lr: None,
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            cycle_momentum: None,
            base_momentum: None,
            max_momentum: None,
        }
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
        positive("final_div_factor", self.final_div_factor)?;
        self.base_momentum.map_or(Ok(()), |momentum| below_one("base_momentum", momentum))?;
        self.max_momentum.map_or(Ok(()), |momentum| below_one("max_momentum", momentum))
    }

    pub(super) fn check_momentum(&self, optimizer: &Optimizer) -> Result<(), Invalid> {
        if self.cycle_momentum == Some(true) && !optimizer.has_momentum() {
            let message = format!("needs an optimizer with momentum, found `{}`", optimizer.name());
            return Err(Invalid::new("cycle_momentum", message)
                .hint("set `cycle_momentum = false`, or use an optimizer with momentum such as `sgd` or `adam`"));
        }
        Ok(())
    }

    /// Fills in the defaults that depend on the optimizer.
    pub(super) fn resolve(&mut self, optimizer: &Optimizer) {
        if *self.cycle_momentum.get_or_insert(optimizer.has_momentum()) {
            self.base_momentum.get_or_insert(MOMENTUM.0);
            self.max_momentum.get_or_insert(MOMENTUM.1);
        }
    }

    /// Returns the lowest and the largest momentum, if it is cycled.
    pub fn momenta(&self) -> Option<(f64, f64)> {
        let (base, max) = MOMENTUM;
        let cycles = self.cycle_momentum == Some(true);
        cycles.then(|| (self.base_momentum.unwrap_or(base), self.max_momentum.unwrap_or(max)))
    }

    pub(super) fn lr(&self, start: f64, position: StepPosition, length: Length) -> f64 {
        let max = self.max_lr.unwrap_or(start);
        let first = max / self.div_factor;
        self.along([first, max, first / self.final_div_factor], position, length)
    }

    /// Returns the momentum of a step, if it is cycled.
    pub(super) fn momentum(&self, position: StepPosition, length: Length) -> Option<f64> {
        self.momenta().map(|(base, max)| self.along([max, base, max], position, length))
    }

    /// Interpolates from the first number at the first step to the second at the turning point and the third at the
    /// last step.
    fn along(&self, [first, summit, last]: [f64; 3], position: StepPosition, length: Length) -> f64 {
        let steps = (length.epochs * length.steps) as f64;
        let step = (position.epoch * length.steps + position.step) as f64;
        let (turn, end) = (self.pct_start * steps - 1.0, steps - 1.0);
        if step <= turn {
            along_cosine(first, summit, step, turn)
        } else {
            along_cosine(summit, last, step - turn, end - turn)
        }
    }
}

/// Interpolates between two numbers along half a cosine, after `done` of `all` steps.
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
                        let lr = cycle.lr(0.5, StepPosition { epoch, step }, Length { epochs, steps });
                        assert!(lr > 0.0 && lr <= 0.1, "{lr} in {epochs} epochs of {steps}, {pct_start} up");
                    }
                }
            }
        }
    }
}
