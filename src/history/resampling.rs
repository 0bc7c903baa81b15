//! How rows were resampled, and whether that leaked: what a history states of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How rows were resampled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResampleRecord {
    /// `under`, `over`, `smote`, `borderline_smote`.
    pub method: String,
    /// Whether all rows were, before any was held out: a leak.
    pub before_split: bool,
    /// Why the figures are too good, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak: Option<String>,
    /// How many rows each class had.
    pub from: Vec<u64>,
    /// How many it has after it.
    pub to: Vec<u64>,
}

impl ResampleRecord {
    /// What is stated of rows that were resampled after the split.
    pub fn after_split(method: &str, from: Vec<u64>, to: Vec<u64>) -> Self {
        ResampleRecord { method: method.to_owned(), before_split: false, leak: None, from, to }
    }

    /// What is stated of rows that were resampled before it, and are leaky therefore.
    pub fn before_split(method: &str, from: Vec<u64>, to: Vec<u64>) -> Self {
        let why = match method {
            "under" => "the rows that it is judged by were evened out, as new rows will not be",
            "over" => "copies of the rows that it is judged by are among those that it was trained on",
            _ => {
                "rows made up between the rows that it is judged by and their neighbors are among those that it was \
                 trained on, and most of a rare class that it is judged by are made up themselves"
            }
        };
        let leak = Some(format!("all rows were resampled ({method}) before the split, so {why}"));
        ResampleRecord { method: method.to_owned(), before_split: true, leak, from, to }
    }
}
