//! The value of a metric path, and the fixed parts of metric paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;

/// The separator between a variant and a metric path: `relu/last.loss`.
pub const VARIANT_SEPARATOR: char = '/';

/// The metric path of a trial's status.
pub const STATUS: &str = "status";

/// The part of a metric path that names a prediction of a tiny network: `learned.prediction.3.0`.
pub const PREDICTION: &str = "prediction";

/// A number or a word of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MetricValue {
    /// A number.
    Number(Number),
    /// A word, such as a diagnosis label.
    Word(String),
}
