//! Early stopping, as Keras's `EarlyStopping`: a replica stops when its metric has not improved for `patience` epochs.
//!
//! Each replica of a stack stops independently: its curves end, its weights are saved, and the others continue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, not_negative};
use crate::config::shorthand::FromNumber;
use crate::history::number::Number;
use crate::train::kept_weights::Keep;
use crate::train::schedule::Schedule;

/// Settings of early stopping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// Metric to monitor; the default is the run's monitored metric.
    pub monitor: Option<String>,
    /// Number of consecutive epochs without improvement after which training stops.
    pub patience: usize,
    /// Minimum change that counts as an improvement.
    pub min_delta: f64,
    /// Whether training ends with the weights of the best epoch (by the run's monitored metric) or of the last. It must
    /// agree with `keep`.
    #[serde(alias = "restore_best_weights")]
    pub restore_best: Option<bool>,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping { monitor: None, patience: 5, min_delta: 0.0, restore_best: None }
    }
}

impl EarlyStopping {
    /// Returns a note if training ends before `reduce_on_plateau` lowers the learning rate, because both monitor the same metric.
    pub fn note_about_schedule(&self, schedule: &Schedule) -> Option<String> {
        match schedule {
            Schedule::WarmUp(warm_up) => self.note_about_schedule(&warm_up.then),
            Schedule::ReduceOnPlateau(plateau) => {
                let (stops, lowers) = (self.patience, plateau.patience);
                (lowers >= stops && plateau.monitor == self.monitor).then(|| {
                    format!(
                        "early stopping (patience {stops}) ends training before `reduce_on_plateau` (patience {lowers}) \
                         lowers the learning rate: give the schedule a smaller `patience`"
                    )
                })
            }
            _ => None,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When a setting is out of range or contradicts `keep`. Keys are relative to `early_stopping`.
    pub fn check(&self, keep: Keep) -> Result<(), Invalid> {
        not_negative("min_delta", self.min_delta)?;
        let fault = |message: &str, hint: &str| Err(Invalid::new("restore_best", message).hint(hint));
        match (self.restore_best, keep) {
            (Some(true), Keep::Last) => fault("contradicts `keep = \"last\"`", "leave one of them out"),
            (Some(false), Keep::Best) => {
                fault("contradicts `keep = \"best\"`, the default", "say `keep = \"last\"` in `[train]`")
            }
            (None, Keep::Best | Keep::Last) | (Some(true), Keep::Best) | (Some(false), Keep::Last) => Ok(()),
        }
    }
}

impl FromNumber for EarlyStopping {
    const EXPECTED: &str = "the patience (a number), a table such as `{ patience = 10 }`";

    fn from_number(patience: f64) -> Result<Self, String> {
        if patience.fract() != 0.0 || !(0.0..=1e9).contains(&patience) {
            return Err(format!("`early_stopping` must be a whole number of epochs of at least 0, found {patience}"));
        }
        Ok(EarlyStopping { patience: patience as usize, ..EarlyStopping::default() })
    }
}

/// Counts one replica's epochs without improvement.
#[derive(Clone, Debug)]
pub struct Patience {
    patience: usize,
    min_delta: f64,
    higher_is_better: bool,
    pub(in crate::train) state: PatienceState,
}

/// State of [`Patience`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatienceState {
    best: Number,
    epochs: usize,
    waited: usize,
}

impl PatienceState {
    /// Returns whether the state is possible at the end of this epoch.
    pub fn is_possible_at(&self, epoch: usize) -> bool {
        self.epochs <= epoch && self.waited <= self.epochs
    }
}

impl Patience {
    /// Starts before the first epoch.
    pub fn new(settings: &EarlyStopping, higher_is_better: bool) -> Self {
        let worst = if higher_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        let EarlyStopping { patience, min_delta, .. } = *settings;
        let state = PatienceState { best: Number(worst), epochs: 0, waited: 0 };
        Patience { patience, min_delta, higher_is_better, state }
    }

    /// Returns whether training should stop after the epochs so far.
    pub fn is_over(&self) -> bool {
        let PatienceState { epochs, waited, .. } = self.state;
        waited > 0 && waited >= self.patience && epochs > 1
    }

    /// Records an epoch's value, and returns whether training should stop. NaN is not an improvement.
    pub fn should_stop(&mut self, value: f64) -> bool {
        let PatienceState { best, epochs, waited } = &mut self.state;
        let better = match self.higher_is_better {
            true => value - self.min_delta > best.0,
            false => value + self.min_delta < best.0,
        };
        *epochs += 1;
        if better {
            (*best, *waited) = (Number(value), 0);
            return false;
        }
        *waited += 1;
        self.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the epoch, from 1, at which training stops.
    fn stops_at(patience: usize, min_delta: f64, higher_is_better: bool, curve: &[f64]) -> Option<usize> {
        let settings = EarlyStopping { patience, min_delta, ..EarlyStopping::default() };
        let mut wait = Patience::new(&settings, higher_is_better);
        curve.iter().position(|&value| wait.should_stop(value)).map(|place| place + 1)
    }

    #[test]
    fn training_stops_after_patience_epochs_without_improvement() {
        let curve = [3.0, 2.0, 2.5, 2.4, 1.9, 1.9, 2.0, 2.1, 1.0];
        assert_eq!(stops_at(2, 0.0, false, &curve), Some(4));
        assert_eq!(stops_at(3, 0.0, false, &curve), Some(8));
        assert_eq!(stops_at(4, 0.0, false, &curve), None);
        assert_eq!(stops_at(0, 0.0, false, &curve), Some(3), "at the first that is no better");
        assert_eq!(stops_at(1, 0.0, true, &curve), Some(2), "higher is better");
    }

    #[test]
    fn an_improvement_below_min_delta_does_not_count() {
        let curve = [1.0, 0.95, 0.9, 0.85, 0.8];
        assert_eq!(stops_at(2, 0.0, false, &curve), None);
        assert_eq!(stops_at(2, 0.06, false, &curve), None, "every second is far enough below the best");
        assert_eq!(stops_at(1, 0.06, false, &curve), Some(2));
        assert_eq!(stops_at(2, 0.2, false, &curve), Some(3));
    }

    #[test]
    fn nan_is_no_improvement_and_the_first_epoch_never_stops_training() {
        assert_eq!(stops_at(1, 0.0, false, &[f64::NAN, f64::NAN, 1.0]), Some(2));
        assert_eq!(stops_at(2, 0.0, false, &[1.0, f64::NAN, f64::NAN, 0.5]), Some(3));
    }
}
