//! A classification report as a history holds it: precision, recall and F1, class by class and on average.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A classification report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Each class, in order.
    pub classes: Vec<ClassReport>,
    /// The share of rows that were predicted right.
    pub accuracy: Option<f64>,
    /// The mean over classes.
    #[serde(rename = "macro")]
    pub macro_average: Scores,
    /// The mean over classes, each weighing as much as it has rows.
    #[serde(rename = "weighted")]
    pub weighted_average: Scores,
}

/// One class in a report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassReport {
    /// Its scores.
    #[serde(flatten)]
    pub scores: Scores,
    /// How many rows are of this class.
    pub support: u64,
}

/// Precision, recall and F1, all in 0–1, higher is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scores {
    /// Of the rows predicted as the class, the share that are.
    pub precision: Option<f64>,
    /// Of the rows of the class, the share that were predicted as it.
    pub recall: Option<f64>,
    /// Returns the harmonic mean of precision and recall: `[replicas]`, f64, NaN where undefined.
    pub f1: Option<f64>,
}
