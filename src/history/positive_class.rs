//! The positive class of two: the class that precision, recall, F1, AP, ROC AUC, the threshold and `pos_weight` are about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The positive class of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PositiveClass {
    /// Name of the class.
    pub name: String,
    /// Index of the class, 0 or 1.
    pub index: usize,
    /// Why this class is the positive one.
    pub chosen: ChosenBy,
}

/// Why a class is the positive one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// The experiment sets `positive`.
    Stated,
    /// Less than a third of the rows belong to it.
    Rarer,
    /// It is the second class, and neither class is that rare.
    Second,
}

impl PositiveClass {
    /// Returns the class and why it is the positive one: "`fraud` (rarer than a third of the rows)".
    pub fn describe(&self) -> String {
        let why = match self.chosen {
            ChosenBy::Stated => "",
            ChosenBy::Rarer => " (rarer than a third of the rows)",
            ChosenBy::Second => " (the second of two classes)",
        };
        format!("`{}`{why}", self.name)
    }
}
