//! Fitted decision tree: its nodes, prediction, and its JSON file.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::impurity::Impurity;
use crate::device::memory;
use crate::io::{atomic_write, bounded_file};
use crate::tensor::predictor::Predictor;

/// A fitted decision tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TreeFile")]
pub struct Tree {
    pub(super) criterion: Impurity,
    /// Number of features.
    pub features: usize,
    /// Number of classes, with those that occur in no leaf.
    pub classes: usize,
    /// Weight of each class, scaled so that the largest is 1; absent if all are equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<Vec<f64>>,
    /// The nodes: the root first, parents before children.
    pub(super) nodes: Vec<Node>,
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Node {
    Split(Split),
    /// Number of training rows of each class that reach the leaf.
    Leaf(Vec<u64>),
}

/// A row goes left if its feature is at most the threshold, else right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) threshold: f64,
    /// Index of the left child in the nodes.
    pub(super) left: usize,
    pub(super) right: usize,
}

/// Maximum number of features. Memory is allocated for each feature, even if no node uses it.
const MAX_FEATURES: usize = 10_000_000;

/// A tree as read from a file, before validation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeFile {
    criterion: Impurity,
    features: usize,
    classes: usize,
    weights: Option<Vec<f64>>,
    nodes: Vec<Node>,
}

impl TryFrom<TreeFile> for Tree {
    type Error = String;

    fn try_from(TreeFile { criterion, features, classes, weights, nodes }: TreeFile) -> Result<Self, String> {
        if nodes.is_empty() {
            return Err("the tree has no nodes".to_owned());
        }
        if !(1..=MAX_FEATURES).contains(&features) || classes == 0 {
            let wanted = format!("1 to {MAX_FEATURES} features and at least one class");
            return Err(format!("the tree has {features} features and {classes} classes; allowed are {wanted}"));
        }
        if let Some(weights) = &weights {
            if weights.len() != classes {
                return Err(format!("found {} class weights for {classes} classes", weights.len()));
            }
            if let Some(weight) = weights.iter().find(|weight| !(**weight > 0.0 && **weight <= 1.0)) {
                return Err(format!("class weights must be above 0 and at most 1, found {weight}"));
            }
        }
        let mut parents = vec![0_usize; nodes.len()];
        for (place, node) in nodes.iter().enumerate() {
            match node {
                Node::Split(split) => {
                    if split.feature >= features {
                        return Err(format!("node {place} splits on feature {} of {features}", split.feature));
                    }
                    // Parents come before children and each child has one parent, so there are no cycles and no
                    // unreachable nodes.
                    for child in [split.left, split.right] {
                        if child <= place || child >= nodes.len() {
                            return Err(format!("node {place} has node {child} of {} as a child", nodes.len()));
                        }
                        parents[child] += 1;
                    }
                }
                Node::Leaf(counts) if counts.len() != classes => {
                    return Err(format!(
                        "leaf {place} has counts of {} classes, but there are {classes}",
                        counts.len()
                    ));
                }
                Node::Leaf(counts) if counts.iter().all(|count| *count == 0) => {
                    return Err(format!("leaf {place} has no rows"));
                }
                Node::Leaf(_) => {}
            }
        }
        match (1..nodes.len()).find(|place| parents[*place] != 1) {
            Some(place) => Err(format!("node {place} is the child of {} nodes", parents[place])),
            None => Ok(Tree { criterion, features, classes, weights, nodes }),
        }
    }
}

impl Tree {
    /// Reads a tree from a file.
    ///
    /// # Errors
    /// When the file cannot be read or does not hold a valid tree.
    pub fn read(path: &Path) -> anyhow::Result<Tree> {
        let text = bounded_file::read(path, memory::max_json_bytes())
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("failed to read the tree in `{}`", path.display()))
    }

    /// Writes the tree to a file as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        atomic_write::write_whole(path, &self.to_json()?)
    }

    /// Returns the tree as the JSON of its file.
    ///
    /// # Errors
    /// When it cannot be serialized as JSON.
    pub fn to_json(&self) -> anyhow::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Returns the maximum number of splits between the root and a leaf.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        for (place, split) in self.split_nodes() {
            depths[split.left] = depths[place] + 1;
            depths[split.right] = depths[place] + 1;
        }
        depths.into_iter().max().unwrap_or_default()
    }

    /// Returns the number of leaves.
    pub fn leaves(&self) -> usize {
        self.nodes() - self.split_nodes().count()
    }

    /// Returns the number of nodes, including leaves.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the split nodes with their indices, parents before children.
    pub(super) fn split_nodes(&self) -> impl DoubleEndedIterator<Item = (usize, &Split)> {
        self.nodes.iter().enumerate().filter_map(|(place, node)| match node {
            Node::Split(split) => Some((place, split)),
            Node::Leaf(_) => None,
        })
    }

    /// Returns the total weight of the training rows of each class in a leaf; empty for a split.
    pub(super) fn leaf_weights(&self, place: usize) -> Vec<f64> {
        match (&self.nodes[place], &self.weights) {
            (Node::Split(_), _) => Vec::new(),
            (Node::Leaf(counts), None) => counts.iter().map(|count| *count as f64).collect(),
            (Node::Leaf(counts), Some(weights)) => {
                counts.iter().zip(weights).map(|(count, weight)| *count as f64 * weight).collect()
            }
        }
    }

    /// Returns the class shares of a leaf; empty for a split.
    fn shares(&self, place: usize) -> Vec<f64> {
        let leaf_weights = self.leaf_weights(place);
        let all: f64 = leaf_weights.iter().sum();
        leaf_weights.iter().map(|leaf_weights| leaf_weights / all).collect()
    }

    /// Returns the index of the leaf that each row reaches: `[rows, features]`, f32.
    fn leaves_of(&self, features: &Tensor) -> Vec<usize> {
        let values = Vec::<f32>::try_from(features.contiguous().flatten(0, -1)).expect("features are f32");
        values.chunks_exact(self.features).map(|row| self.leaf_of(row)).collect()
    }

    fn leaf_of(&self, row: &[f32]) -> usize {
        let mut place = 0;
        while let Node::Split(split) = &self.nodes[place] {
            place = if f64::from(row[split.feature]) <= split.threshold { split.left } else { split.right };
        }
        place
    }
}

impl Predictor for Tree {
    /// Returns the weighted class shares of the training rows in the leaf that each row reaches (scikit-learn's
    /// `predict_proba`): `[rows, …sample]` → `[rows, classes]` f64.
    ///
    /// Features are converted to f32, as in training.
    fn outputs(&self, features: &Tensor) -> Tensor {
        let (features, width) = table(features);
        assert_eq!(width, self.features, "features of a row");
        let shares: Vec<Vec<f64>> = (0..self.nodes.len()).map(|place| self.shares(place)).collect();
        let leaves = self.leaves_of(&features);
        let outputs: Vec<f64> = leaves.iter().flat_map(|leaf| &shares[*leaf]).copied().collect();
        Tensor::from_slice(&outputs).view([leaves.len() as i64, self.classes as i64])
    }
}

/// Returns rows as a 2-D table and its number of columns: `[rows, …sample]` → `[rows, features]`, f32, on the CPU.
pub(super) fn table(features: &Tensor) -> (Tensor, usize) {
    let rows = features.size()[0];
    let width: i64 = features.size()[1..].iter().product();
    (features.to_device(tch::Device::Cpu).to_kind(Kind::Float).reshape([rows, width]), width as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written() -> Value {
        json!({ "criterion": "gini", "features": 2, "classes": 2, "nodes": [
            { "split": { "feature": 1, "threshold": 0.5, "left": 1, "right": 2 } },
            { "leaf": [3, 1] },
            { "split": { "feature": 0, "threshold": -1.0, "left": 3, "right": 4 } },
            { "leaf": [0, 2] },
            { "leaf": [5, 0] },
        ] })
    }

    #[test]
    fn a_tree_is_read_as_it_was_written_and_sends_rows_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tree.json");
        let tree: Tree = serde_json::from_value(written()).unwrap();
        tree.write(&path).unwrap();
        let tree = Tree::read(&path).unwrap();
        assert_eq!(serde_json::to_value(&tree).unwrap(), written());
        assert_eq!((tree.depth(), tree.leaves(), tree.nodes()), (2, 3, 5));
        // A value equal to the threshold goes left; NaN goes right, since comparisons with it are false.
        let rows = Tensor::from_slice(&[9.0_f32, 0.5, -1.0, 0.6, 0.0, 0.6, f32::NAN, f32::NAN]).view([4, 1, 2]);
        let outputs = Vec::<f64>::try_from(tree.outputs(&rows).flatten(0, -1)).unwrap();
        assert_eq!(outputs, [0.75, 0.25, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(tree.outputs(&rows.narrow(0, 0, 0)).size(), [0, 2]);
    }

    #[test]
    fn a_damaged_file_is_an_error_that_says_where() {
        let fault = |pointer: &str, value: Value| {
            let mut tree = written();
            *tree.pointer_mut(pointer).unwrap() = value;
            serde_json::from_value::<Tree>(tree).unwrap_err().to_string()
        };
        assert_eq!(fault("/nodes/0/split/feature", json!(2)), "node 0 splits on feature 2 of 2");
        assert_eq!(fault("/nodes/2/split/left", json!(0)), "node 2 has node 0 of 5 as a child");
        assert_eq!(fault("/nodes/2/split/left", json!(2)), "node 2 has node 2 of 5 as a child");
        assert_eq!(fault("/nodes/2/split/right", json!(5)), "node 2 has node 5 of 5 as a child");
        assert_eq!(fault("/nodes/2/split/right", json!(3)), "node 3 is the child of 2 nodes");
        assert_eq!(fault("/nodes/2", json!({ "leaf": [1, 1] })), "node 3 is the child of 0 nodes");
        assert_eq!(fault("/nodes/1/leaf", json!([1, 1, 1])), "leaf 1 has counts of 3 classes, but there are 2");
        assert_eq!(fault("/nodes/1/leaf", json!([0, 0])), "leaf 1 has no rows");
        assert_eq!(fault("/nodes", json!([])), "the tree has no nodes");
        let weighted = |weights: Value| {
            let mut tree = written();
            tree["weights"] = weights;
            serde_json::from_value::<Tree>(tree).map_err(|error| error.to_string())
        };
        assert_eq!(weighted(json!([1.0])).unwrap_err(), "found 1 class weights for 2 classes");
        let wanted = "class weights must be above 0 and at most 1, found 0";
        assert_eq!(weighted(json!([1.0, 0.0])).unwrap_err(), wanted);
        assert!(weighted(json!([1.0, 2.0])).is_err() && weighted(json!([1.0, -1.0])).is_err());
        let tree = weighted(json!([1.0, 0.5])).unwrap();
        assert_eq!(tree.shares(1), [3.0 / 3.5, 0.5 / 3.5]);
        assert_eq!(serde_json::to_value(&tree).unwrap()["weights"], json!([1.0, 0.5]));
        let wanted = "allowed are 1 to 10000000 features and at least one class";
        assert_eq!(fault("/features", json!(0)), format!("the tree has 0 features and 2 classes; {wanted}"));
        let huge = format!("the tree has 54294967296 features and 2 classes; {wanted}");
        assert_eq!(fault("/features", json!(54_294_967_296_u64)), huge);
        assert!(fault("/nodes/0/split/threshold", json!(null)).contains("invalid type"));
        assert!(fault("/nodes/0", json!({ "stump": 1 })).contains("unknown variant `stump`"));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tree.json");
        std::fs::write(&path, "{\"criterion\": \"gini\"").unwrap();
        let fault = format!("{:#}", Tree::read(&path).unwrap_err());
        assert!(fault.starts_with(&format!("failed to read the tree in `{}`: ", path.display())), "{fault}");
    }
}
