//! A figure or a word that was found in a history, and the fixed parts of figure names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;

/// What stands between a variant's name and a figure's: `relu/last.loss`.
pub const VARIANT_SEPARATOR: char = '/';

/// The figure that tells how a trial ended.
pub const STATUS: &str = "status";

/// What a prediction is called among the things that a tiny network has learned.
pub const PREDICTION: &str = "prediction";

/// A figure or a word of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Found {
    /// A figure.
    Number(Number),
    /// A word, such as a verdict.
    Word(String),
}
