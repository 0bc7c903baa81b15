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
    /// How many rows each class had.
    pub from: Vec<u64>,
    /// How many it has after it.
    pub to: Vec<u64>,
}

impl ResampleRecord {
    /// Why figures of a trial that was resampled before the split are too good; `None` where it was resampled after it.
    pub fn leak(&self) -> Option<&'static str> {
        self.before_split.then_some(match self.method.as_str() {
            "under" => "the rows that it is judged by were evened out, as new rows will not be",
            "over" => "copies of the rows that it is judged by are among those that it was trained on",
            _ => {
                "rows made up between the rows that it is judged by and their neighbors are among those that it was \
                 trained on, and most of a rare class that it is judged by are made up themselves"
            }
        })
    }
}
