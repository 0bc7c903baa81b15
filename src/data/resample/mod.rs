//! Resampling: making the classes of training rows equally frequent, or nearer to it.
//!
//! Only [`Training`](crate::data::Training) can be resampled: rows that are made up, repeated or left out have no place
//! among those that a network is judged by. With the same `random_state` the samplers return imbalanced-learn 0.14's
//! very rows, in its order.

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

/// How training rows are resampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resample {
    /// Rows of the more frequent classes are left out at random.
    Under(random::Random),
    /// Rows of the rarer classes are repeated at random.
    Over(random::Random),
    /// Rows of the rarer classes are made up between neighbors (Chawla et al. 2002).
    Smote(smote::Smote),
    /// The same, between rows near the border to the other classes (Han et al. 2005).
    BorderlineSmote(borderline::BorderlineSmote),
}

impl Resample {
    /// The name in the file.
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
    /// When one is out of its range; the key is relative to `resample`.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Resample::Under(random) | Resample::Over(random) => random.check(),
            Resample::Smote(smote) => smote.check(),
            Resample::BorderlineSmote(smote) => smote.check(),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// The rows after resampling; synthetic ones are computed on `device`, in f64.
    ///
    /// `names` are those of the classes, for messages.
    ///
    /// # Errors
    /// When a class has too few rows to find neighbors among, or the classes are already nearer to each other than
    /// asked; the key is relative to `resample`.
    pub(super) fn apply(&self, rows: &Rows, names: &[String], device: Device) -> Result<Rows, Invalid> {
        let classes: Vec<i64> = Vec::try_from(&rows.targets).expect("only classes are resampled");
        let classes = ByClass::of(&classes, names);
        if rows.weights.is_some() && matches!(self, Resample::Smote(_) | Resample::BorderlineSmote(_)) {
            let message = "makes rows up, and what they would weigh is not known";
            return Err(Invalid::new(self.name(), message).hint("leave the weights out, or use `over`"));
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
