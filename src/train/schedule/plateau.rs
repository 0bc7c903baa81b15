//! `reduce_on_plateau`, as ReduceLROnPlateau in relative mode: reduces a replica's learning rate when its metric has
//! not improved for more than `patience` epochs.

use anyhow::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, not_negative, share};
use crate::history::number::Number;

/// Smallest change of a learning rate; PyTorch skips smaller ones.
const MIN_CHANGE: f64 = 1e-8;

/// Settings of `reduce_on_plateau`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// Metric to monitor; the default is the run's monitored metric.
    pub monitor: Option<String>,
    /// Factor of the learning rate.
    pub factor: f64,
    /// Number of consecutive epochs without improvement that are tolerated.
    pub patience: usize,
    /// Minimum relative change that counts as an improvement.
    #[serde(alias = "min_delta")]
    pub threshold: f64,
    /// Number of epochs after a reduction in which none is counted.
    pub cooldown: usize,
    /// Lower bound of the learning rate.
    pub min_lr: f64,
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        ReduceOnPlateau { monitor: None, factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, min_lr: 0.0 }
    }
}

impl ReduceOnPlateau {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        share("factor", self.factor)?;
        not_negative("threshold", self.threshold)?;
        not_negative("min_lr", self.min_lr)
    }
}

/// Counts one replica's epochs without improvement.
#[derive(Clone, Debug)]
pub struct Patience {
    settings: ReduceOnPlateau,
    higher_is_better: bool,
    pub(crate) state: PatienceState,
}

/// State of [`Patience`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatienceState {
    best: Number,
    bad_epochs: usize,
    cooldown: usize,
}

impl Patience {
    /// Starts before the first epoch.
    pub fn new(settings: &ReduceOnPlateau, higher_is_better: bool) -> Self {
        let worst = if higher_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        let state = PatienceState { best: Number(worst), bad_epochs: 0, cooldown: 0 };
        Patience { settings: settings.clone(), higher_is_better, state }
    }

    /// Checks that the state is possible at the end of an epoch.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, state: PatienceState) -> anyhow::Result<()> {
        let ReduceOnPlateau { patience, cooldown, .. } = self.settings;
        ensure!(
            state.bad_epochs <= patience && state.cooldown <= cooldown,
            "`reduce_on_plateau` counts at most {patience} epochs and {cooldown} of cooldown, found {} and {}",
            state.bad_epochs,
            state.cooldown
        );
        Ok(())
    }

    /// Returns the learning rate after an epoch with this value. NaN is not an improvement.
    pub fn lr_after(&mut self, value: f64, lr: f64) -> f64 {
        let ReduceOnPlateau { factor, patience, threshold, cooldown, min_lr, .. } = self.settings;
        let state = &mut self.state;
        let better = match self.higher_is_better {
            true => value > state.best.0 * (1.0 + threshold),
            false => value < state.best.0 * (1.0 - threshold),
        };
        if better {
            (state.best, state.bad_epochs) = (Number(value), 0);
        } else {
            state.bad_epochs += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad_epochs = 0;
        }
        if state.bad_epochs <= patience {
            return lr;
        }
        state.bad_epochs = 0;
        state.cooldown = cooldown;
        let reduced = (lr * factor).max(min_lr);
        if lr - reduced > MIN_CHANGE { reduced } else { lr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lrs(settings: ReduceOnPlateau, higher_is_better: bool, values: &[f64]) -> Vec<f64> {
        let mut wait = Patience::new(&settings, higher_is_better);
        let mut lr = 1.0;
        let after = values.iter().map(|&value| {
            lr = wait.lr_after(value, lr);
            lr
        });
        after.collect()
    }

    #[test]
    fn the_rate_falls_once_patience_is_exceeded_and_not_below_the_least() {
        let settings = ReduceOnPlateau { factor: 0.5, patience: 1, min_lr: 0.25, ..ReduceOnPlateau::default() };
        let values = [3.0, 2.0, 2.0, 2.0, 1.0, 1.5, 1.5, 1.5, 1.5];
        assert_eq!(lrs(settings, false, &values), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
    }

    #[test]
    fn a_cooldown_counts_nothing_and_nan_is_no_improvement() {
        let settings = ReduceOnPlateau { factor: 0.5, patience: 0, cooldown: 2, ..ReduceOnPlateau::default() };
        let values = [0.5, f64::NAN, 0.5, 0.5, 0.5, 0.9];
        assert_eq!(lrs(settings, true, &values), [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
    }
}
