//! The resampling of a trial's rows, and whether it leaked data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The resampling of a trial's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResampleRecord {
    /// Method: `under`, `over`, `smote`, `borderline_smote`.
    pub method: String,
    /// Whether all rows were resampled before the split: data leakage.
    pub before_split: bool,
    /// Why the metrics are inflated, if data leaked.
    #[serde(default, rename = "leakage", alias = "leak", skip_serializing_if = "Option::is_none")]
    pub leak: Option<String>,
    /// Number of rows of each class before resampling.
    #[serde(rename = "rows_before", alias = "from")]
    pub from: Vec<u64>,
    /// Number of rows of each class after resampling.
    #[serde(rename = "rows_after", alias = "to")]
    pub to: Vec<u64>,
}

impl ResampleRecord {
    /// Returns the record of rows that were resampled after the split.
    pub fn after_split(method: &str, from: Vec<u64>, to: Vec<u64>) -> Self {
        ResampleRecord { method: method.to_owned(), before_split: false, leak: None, from, to }
    }

    /// Returns the record of rows that were resampled before the split, with the reason why the metrics are inflated.
    pub fn before_split(method: &str, from: Vec<u64>, to: Vec<u64>) -> Self {
        let why = match method {
            "under" => "the validation and test rows are balanced, unlike new rows",
            "over" => "validation and test rows have copies among the training rows",
            _ if from.iter().zip(&to).any(|(from, to)| *to > 2 * from) => {
                "the training rows contain synthetic rows made from validation and test rows, and most validation and test \
                 rows of a rare class are synthetic"
            }
            _ => "the training rows contain synthetic rows made from validation and test rows",
        };
        let leak = Some(format!("all rows were resampled ({method}) before the split: {why}"));
        ResampleRecord { method: method.to_owned(), before_split: true, leak, from, to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_rows_of_a_class_are_synthetic_only_if_it_was_rare() {
        let leak = |from: [u64; 2]| ResampleRecord::before_split("smote", from.to_vec(), vec![100, 100]).leak.unwrap();
        assert!(leak([100, 10]).ends_with("most validation and test rows of a rare class are synthetic"));
        assert!(leak([100, 97]).ends_with("synthetic rows made from validation and test rows"));
    }
}
