//! Size and feature importances of a decision tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Size and feature importances of a decision tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeRecord {
    /// Largest number of splits between the root and a leaf.
    pub depth: usize,
    /// Number of leaves.
    pub leaves: usize,
    /// Number of nodes, including leaves.
    pub nodes: usize,
    /// The ten most important features, the most important first.
    pub features: Vec<FeatureRecord>,
}

/// The role of a feature in a decision tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureRecord {
    /// Name of the feature.
    pub name: String,
    /// Importance: its share of the total impurity decrease.
    pub importance: f64,
    /// Number of splits on this feature.
    pub splits: usize,
}
