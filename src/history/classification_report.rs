//! A classification report: precision, recall and F1 of each class, and their averages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A classification report, as in scikit-learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The classes in order.
    pub classes: Vec<ClassReport>,
    /// Share of the rows that are predicted correctly.
    pub accuracy: Option<f64>,
    /// Mean over the classes.
    #[serde(rename = "macro")]
    pub macro_average: Scores,
    /// Mean over the classes, weighted by their number of rows.
    #[serde(rename = "weighted")]
    pub weighted_average: Scores,
}

/// Scores of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassReport {
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// Number of rows of the class.
    pub support: u64,
}

/// Precision, recall and F1, all between 0 and 1. Higher is better. `null` where undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scores {
    /// Share of the rows predicted as the class that belong to it.
    pub precision: Option<f64>,
    /// Share of the rows of the class that are predicted as it.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
}
