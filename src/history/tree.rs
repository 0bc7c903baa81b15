//! A decision tree in figures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A decision tree in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeRecord {
    /// Returns the maximum number of splits between the root and a leaf.
    pub depth: usize,
    /// Returns the number of leaves.
    pub leaves: usize,
    /// Returns the number of nodes, including leaves.
    pub nodes: usize,
    /// The ten most important features that are split by, the most important first.
    pub features: Vec<FeatureRecord>,
}

/// What a feature does in a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureRecord {
    /// The feature's name.
    pub name: String,
    /// Its share of the impurity that all splits take away.
    pub importance: f64,
    /// How many splits ask for it.
    pub splits: usize,
}
