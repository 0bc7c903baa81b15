//! The positive class of two: the one that precision, recall, F1, AP, ROC AUC, the threshold and `pos_weight` are about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The positive class, of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PositiveClass {
    /// Its name.
    pub name: String,
    /// Its number among the classes, 0 or 1.
    pub index: usize,
    /// Why it is this one.
    pub chosen: ChosenBy,
}

/// Why a class is the positive one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// The experiment says so: `positive`.
    Stated,
    /// It is rarer than a third of the rows.
    Rarer,
    /// It is the second one, and neither is that rare.
    Second,
}

impl PositiveClass {
    /// The class, and why it is this one: "`fraud` (rarer than a third of the rows)".
    pub fn in_words(&self) -> String {
        let why = match self.chosen {
            ChosenBy::Stated => "",
            ChosenBy::Rarer => " (rarer than a third of the rows)",
            ChosenBy::Second => " (the second of two classes)",
        };
        format!("`{}`{why}", self.name)
    }
}
