//! Early stopping, as Keras's `EarlyStopping`: a replica ends when its metric has not improved for `patience` epochs.
//!
//! Each replica of a stack stops for itself: its curves end there, its weights are set aside, and the others go on.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::check::{Invalid, not_negative};
use crate::config::shorthand::{FromNumber, number_or_table};
use crate::history::number::Number;
use crate::train::keep::Keep;

/// `early_stopping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// The metric that is waited for; the run's monitored one where it is left out.
    pub monitor: Option<String>,
    /// After how many epochs in a row without an improvement a replica ends.
    pub patience: usize,
    /// A new value must be better than the best one by more than this.
    pub min_delta: f64,
    /// Whether a replica ends with the weights of its best epoch (by the run's monitored metric) or of its last: what
    /// `keep` says, which it must agree with.
    #[serde(alias = "restore_best_weights")]
    pub restore_best: Option<bool>,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping { monitor: None, patience: 5, min_delta: 0.0, restore_best: None }
    }
}

impl FromNumber for EarlyStopping {
    fn from_number(patience: f64) -> Result<Self, String> {
        if patience.fract() != 0.0 || !(0.0..=1e9).contains(&patience) {
            return Err(format!(
                "`early_stopping`, a number of epochs, must be whole and at least 0, found {patience}"
            ));
        }
        Ok(EarlyStopping { patience: patience as usize, ..EarlyStopping::default() })
    }
}

/// Reads `early_stopping = 5`, the table, or nothing.
pub(crate) fn number_table_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<EarlyStopping>, D::Error> {
    struct Written(EarlyStopping);
    impl<'de> Deserialize<'de> for Written {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            number_or_table(deserializer).map(Written)
        }
    }
    Ok(Option::<Written>::deserialize(d)?.map(|written| written.0))
}

impl EarlyStopping {
    /// Checks the settings.
    ///
    /// # Errors
    /// When one is out of its range, or contradicts what is kept; the key is relative to `early_stopping`.
    pub fn check(&self, keep: Keep) -> Result<(), Invalid> {
        not_negative("min_delta", self.min_delta)?;
        let fault = |message: &str, hint: &str| Err(Invalid::new("restore_best", message).hint(hint));
        match (self.restore_best, keep) {
            (Some(true), Keep::Last) => fault("contradicts `keep = \"last\"`", "leave one of them out"),
            (Some(false), Keep::Best) => {
                fault("contradicts `keep = \"best\"`, the default", "say `keep = \"last\"` in `[train]`")
            }
            _ => Ok(()),
        }
    }
}

/// One replica's wait for an improvement.
#[derive(Clone, Debug)]
pub struct Wait {
    patience: usize,
    min_delta: f64,
    higher_is_better: bool,
    waited: Waited,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waited {
    best: Number,
    epochs: usize,
    waited: usize,
}

impl Waited {
    /// Whether a wait can have come so far by the end of this epoch.
    pub fn can_be_of(&self, epoch: usize) -> bool {
        self.epochs <= epoch && self.waited <= self.epochs
    }
}

impl Wait {
    /// Nothing has been seen yet.
    pub fn new(settings: &EarlyStopping, higher_is_better: bool) -> Self {
        let worst = if higher_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        let EarlyStopping { patience, min_delta, .. } = *settings;
        let waited = Waited { best: Number(worst), epochs: 0, waited: 0 };
        Wait { patience, min_delta, higher_is_better, waited }
    }

    /// How far it has come.
    pub fn waited(&self) -> Waited {
        self.waited
    }

    /// Goes on from there.
    pub fn go_on(&mut self, waited: Waited) {
        self.waited = waited;
    }

    /// Takes an epoch's value down; says whether the wait is over. A value that is no number is no improvement.
    pub fn is_over(&mut self, value: f64) -> bool {
        let Waited { best, epochs, waited } = &mut self.waited;
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
        *waited >= self.patience && *epochs > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The epoch, from 1, at which a curve is stopped.
    fn stops_at(patience: usize, min_delta: f64, higher_is_better: bool, curve: &[f64]) -> Option<usize> {
        let settings = EarlyStopping { patience, min_delta, ..EarlyStopping::default() };
        let mut wait = Wait::new(&settings, higher_is_better);
        curve.iter().position(|&value| wait.is_over(value)).map(|place| place + 1)
    }

    #[test]
    fn a_curve_is_stopped_after_so_many_epochs_without_a_better_value() {
        let curve = [3.0, 2.0, 2.5, 2.4, 1.9, 1.9, 2.0, 2.1, 1.0];
        assert_eq!(stops_at(2, 0.0, false, &curve), Some(4));
        assert_eq!(stops_at(3, 0.0, false, &curve), Some(8));
        assert_eq!(stops_at(4, 0.0, false, &curve), None);
        assert_eq!(stops_at(0, 0.0, false, &curve), Some(3), "at the first that is no better");
        assert_eq!(stops_at(1, 0.0, true, &curve), Some(2), "higher is better");
    }

    #[test]
    fn an_improvement_that_is_too_small_is_none() {
        let curve = [1.0, 0.95, 0.9, 0.85, 0.8];
        assert_eq!(stops_at(2, 0.0, false, &curve), None);
        assert_eq!(stops_at(2, 0.06, false, &curve), None, "every second is far enough below the best");
        assert_eq!(stops_at(1, 0.06, false, &curve), Some(2));
        assert_eq!(stops_at(2, 0.2, false, &curve), Some(3));
    }

    #[test]
    fn what_is_no_number_is_no_improvement_and_the_first_epoch_never_ends_a_run() {
        assert_eq!(stops_at(1, 0.0, false, &[f64::NAN, f64::NAN, 1.0]), Some(2));
        assert_eq!(stops_at(2, 0.0, false, &[1.0, f64::NAN, f64::NAN, 0.5]), Some(3));
    }
}
