//! What a network predicts: classes, labels or values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is predicted, with the number of classes, labels or values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One of several classes.
    Classes(usize),
    /// Several labels, each yes or no.
    Labels(usize),
    /// Several numbers (regression).
    Values(usize),
}

impl Target {
    /// Returns the number of classes, labels or values: the number of outputs of a network with an output for each.
    pub fn outputs(self) -> usize {
        match self {
            Target::Classes(count) | Target::Labels(count) | Target::Values(count) => count,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, one, many) = match self {
            Target::Values(1) => return f.write_str("one number (regression)"),
            Target::Classes(count) => (count, "class", "classes"),
            Target::Labels(count) => (count, "yes-or-no label", "yes-or-no labels"),
            Target::Values(count) => (count, "number", "numbers"),
        };
        write!(f, "{count} {}", if *count == 1 { one } else { many })
    }
}
