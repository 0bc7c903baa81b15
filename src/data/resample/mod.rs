//! Resampling: makes the classes of the training rows equally frequent, or closer to it.
//!
//! Only [`Training`](crate::data::Training) can be resampled: validation and test rows must not contain synthetic or
//! repeated rows. With the same `random_state` the samplers return the same rows as imbalanced-learn 0.14, in the same
//! order.

pub mod borderline;
pub mod by_class;
pub mod neighbors;
mod new_rows;
pub mod random;
pub mod smote;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::config::check::Invalid;
use crate::data::resample::by_class::ByClass;
use crate::data::rows::Rows;

/// Resampling of the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resample {
    /// Drops random rows of the more frequent classes.
    Under(random::Random),
    /// Repeats random rows of the rarer classes.
    Over(random::Random),
    /// Adds synthetic rows of the rarer classes, interpolated between neighbors (Chawla et al. 2002).
    Smote(smote::Smote),
    /// Like SMOTE, from rows near the border to the other classes only (Han et al. 2005).
    BorderlineSmote(borderline::BorderlineSmote),
}

impl Resample {
    /// Returns the name in experiment files.
    pub fn name(&self) -> &'static str {
        match self {
            Resample::Under(_) => "under",
            Resample::Over(_) => "over",
            Resample::Smote(_) => "smote",
            Resample::BorderlineSmote(_) => "borderline_smote",
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When a setting is out of its range; the key is relative to `resample`.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Resample::Under(random) | Resample::Over(random) => random.check(),
            Resample::Smote(smote) => smote.check(),
            Resample::BorderlineSmote(smote) => smote.check(),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// Returns the rows after resampling. Synthetic rows are computed on `device`, in f64. `names` has the names of the
    /// classes, for messages.
    ///
    /// # Errors
    /// When a class has too few rows to find neighbors, or the classes are already closer to each other than `ratio`
    /// demands; the key is relative to `resample`.
    pub(super) fn apply(&self, rows: &Rows, names: &[String], device: Device) -> Result<Rows, Invalid> {
        let classes: Vec<i64> = Vec::try_from(&rows.targets).expect("only classes are resampled");
        let classes = ByClass::new(&classes, names);
        if rows.weights.is_some() && matches!(self, Resample::Smote(_) | Resample::BorderlineSmote(_)) {
            let message = "creates synthetic rows, whose sample weights are unknown";
            return Err(Invalid::new(self.name(), message).hint("remove the weights, or use `over`"));
        }
        match self {
            Resample::Under(random) => random.under(&classes).map(|numbers| rows.take(&numbers)),
            Resample::Over(random) => random.over(&classes).map(|numbers| rows.take(&numbers)),
            Resample::Smote(smote) => smote.apply(rows, &classes, device),
            Resample::BorderlineSmote(smote) => smote.apply(rows, &classes, device),
        }
        .map_err(|fault| fault.under(self.name()))
    }
}
