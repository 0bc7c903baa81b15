//! What a network is to predict: classes, labels or values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One of so many classes.
    Classes(usize),
    /// Each of so many labels, yes or no.
    Labels(usize),
    /// So many numbers.
    Values(usize),
}

impl Target {
    /// How many outputs a network needs for it, where it needs one for each class, label or value.
    pub fn outputs(self) -> usize {
        match self {
            Target::Classes(count) | Target::Labels(count) | Target::Values(count) => count,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, one, many) = match self {
            Target::Classes(count) => (count, "class", "classes"),
            Target::Labels(count) => (count, "yes-or-no label", "yes-or-no labels"),
            Target::Values(count) => (count, "number", "numbers"),
        };
        write!(f, "{count} {}", if *count == 1 { one } else { many })
    }
}
