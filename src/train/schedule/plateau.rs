//! `reduce_on_plateau`, as ReduceLROnPlateau in its relative mode: a replica's learning rate is reduced when its metric
//! has not improved for more than `patience` epochs.

use anyhow::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, not_negative, share};
use crate::history::number::Number;

/// PyTorch leaves a learning rate alone that would change by less.
const LEAST_CHANGE: f64 = 1e-8;

/// `reduce_on_plateau`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// The metric that is waited for; the run's monitored one where it is left out.
    pub monitor: Option<String>,
    /// What the learning rate is multiplied by.
    pub factor: f64,
    /// How many epochs in a row may bring no improvement.
    pub patience: usize,
    /// The share of the best value by which a new one must be better.
    #[serde(alias = "min_delta")]
    pub threshold: f64,
    /// For how many epochs after a reduction nothing is counted.
    pub cooldown: usize,
    /// The learning rate is never reduced below this.
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

/// One replica's wait for an improvement.
#[derive(Clone, Debug)]
pub struct Wait {
    settings: ReduceOnPlateau,
    higher_is_better: bool,
    waited: Waited,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waited {
    best: Number,
    bad_epochs: usize,
    cooldown: usize,
}

impl Wait {
    /// Nothing has been seen yet.
    pub fn new(settings: &ReduceOnPlateau, higher_is_better: bool) -> Self {
        let worst = if higher_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        let waited = Waited { best: Number(worst), bad_epochs: 0, cooldown: 0 };
        Wait { settings: settings.clone(), higher_is_better, waited }
    }

    /// How far it has come.
    pub fn waited(&self) -> Waited {
        self.waited
    }

    /// Checks that this wait can have come so far at the end of an epoch.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self, waited: Waited) -> anyhow::Result<()> {
        let ReduceOnPlateau { patience, cooldown, .. } = self.settings;
        ensure!(
            waited.bad_epochs <= patience && waited.cooldown <= cooldown,
            "`reduce_on_plateau` waits for {patience} epochs and cools down for {cooldown}, and it has {} and {}",
            waited.bad_epochs,
            waited.cooldown
        );
        Ok(())
    }

    /// Goes on from there.
    pub fn go_on(&mut self, waited: Waited) {
        self.waited = waited;
    }

    /// The learning rate after an epoch with this value; a value that is no number is no improvement.
    pub fn lr_after(&mut self, value: f64, lr: f64) -> f64 {
        let ReduceOnPlateau { factor, patience, threshold, cooldown, min_lr, .. } = self.settings;
        let waited = &mut self.waited;
        let better = match self.higher_is_better {
            true => value > waited.best.0 * (1.0 + threshold),
            false => value < waited.best.0 * (1.0 - threshold),
        };
        if better {
            (waited.best, waited.bad_epochs) = (Number(value), 0);
        } else {
            waited.bad_epochs += 1;
        }
        if waited.cooldown > 0 {
            waited.cooldown -= 1;
            waited.bad_epochs = 0;
        }
        if waited.bad_epochs <= patience {
            return lr;
        }
        waited.bad_epochs = 0;
        waited.cooldown = cooldown;
        let reduced = (lr * factor).max(min_lr);
        if lr - reduced > LEAST_CHANGE { reduced } else { lr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lrs(settings: ReduceOnPlateau, higher_is_better: bool, values: &[f64]) -> Vec<f64> {
        let mut wait = Wait::new(&settings, higher_is_better);
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
