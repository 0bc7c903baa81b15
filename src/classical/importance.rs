//! Feature importances of a tree: the impurity decrease and the number of splits of each feature.

use super::tree::Tree;
use crate::history::tree::{FeatureRecord, TreeRecord};

/// Number of features in a record.
const MAX_RECORDED: usize = 10;

impl Tree {
    /// Returns the impurity decrease of each feature's splits, weighted by the rows that reach them and normalized to a
    /// sum of 1 (scikit-learn's `feature_importances_`). All values are 0 if the tree is a single leaf.
    pub fn importances(&self) -> Vec<f64> {
        let class_weights_by_node = self.class_weights_by_node();
        let impurity = |place: usize| {
            self.criterion.compute(&class_weights_by_node[place]) * class_weights_by_node[place].iter().sum::<f64>()
        };
        let mut importances = vec![0.0; self.features];
        for (place, split) in self.split_nodes() {
            importances[split.feature] += impurity(place) - impurity(split.left) - impurity(split.right);
        }
        let all: f64 = importances.iter().sum();
        if all > 0.0 {
            importances.iter_mut().for_each(|importance| *importance /= all);
        }
        importances
    }

    /// Returns the number of splits that use each feature.
    pub fn splits(&self) -> Vec<usize> {
        let mut splits = vec![0; self.features];
        for (_, split) in self.split_nodes() {
            splits[split.feature] += 1;
        }
        splits
    }

    /// Returns the size of the tree and its most important features. `names` are the feature names; without one, a
    /// feature is named by its index.
    pub fn record(&self, names: &[String]) -> TreeRecord {
        let name = |feature: usize| names.get(feature).cloned().unwrap_or_else(|| format!("feature {feature}"));
        let each = self.importances().into_iter().zip(self.splits()).enumerate();
        let mut features: Vec<FeatureRecord> = each
            .filter(|(_, (_, splits))| *splits > 0)
            .map(|(feature, (importance, splits))| FeatureRecord { name: name(feature), importance, splits })
            .collect();
        features.sort_by(|a, b| b.importance.total_cmp(&a.importance).then(b.splits.cmp(&a.splits)));
        features.truncate(MAX_RECORDED);
        TreeRecord { depth: self.depth(), leaves: self.leaves(), nodes: self.nodes(), features }
    }

    /// Returns, for each node, the total weight of the training rows of each class that reach it.
    fn class_weights_by_node(&self) -> Vec<Vec<f64>> {
        let mut class_weights_by_node: Vec<Vec<f64>> =
            (0..self.nodes.len()).map(|place| self.leaf_weights(place)).collect();
        for (place, split) in self.split_nodes().rev() {
            class_weights_by_node[place] = class_weights_by_node[split.left]
                .iter()
                .zip(&class_weights_by_node[split.right])
                .map(|(a, b)| a + b)
                .collect();
        }
        class_weights_by_node
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tree(criterion: &str) -> Tree {
        let nodes = json!([
            { "split": { "feature": 2, "threshold": 0.5, "left": 1, "right": 2 } },
            { "leaf": [4, 0] },
            { "split": { "feature": 0, "threshold": 0.5, "left": 3, "right": 4 } },
            { "leaf": [0, 3] },
            { "leaf": [1, 0] },
        ]);
        let tree = json!({ "criterion": criterion, "features": 3, "classes": 2, "nodes": nodes });
        serde_json::from_value(tree).unwrap()
    }

    #[test]
    fn importances_are_the_shares_of_the_impurity_taken_away() {
        let near = |found: &[f64], wanted: &[f64]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12);
        // Gini times rows: 8 · (1 − 25/64 − 9/64) = 3.75 at the root, 4 · (1 − 9/16 − 1/16) = 1.5 at its child.
        let found = tree("gini").importances();
        assert!(near(&found, &[1.5 / 3.75, 0.0, 2.25 / 3.75]), "{found:?}");
        let bits = |p: f64| -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
        let (root, behind) = (8.0 * bits(5.0 / 8.0), 4.0 * bits(0.25));
        let found = tree("entropy").importances();
        assert!(near(&found, &[behind / root, 0.0, 1.0 - behind / root]), "{found:?}");
    }

    #[test]
    fn the_record_names_the_features_that_are_split_by_most_important_first() {
        let record = tree("gini").record(&["Time".to_owned()]);
        assert_eq!((record.depth, record.leaves, record.nodes), (2, 3, 5));
        let names: Vec<(&str, usize)> = record.features.iter().map(|f| (f.name.as_str(), f.splits)).collect();
        assert_eq!(names, [("feature 2", 1), ("Time", 1)]);
    }

    #[test]
    fn a_single_leaf_uses_no_feature() {
        let leaf = json!({ "criterion": "gini", "features": 2, "classes": 2, "nodes": [{ "leaf": [1, 1] }] });
        let leaf: Tree = serde_json::from_value(leaf).unwrap();
        assert_eq!(leaf.importances(), [0.0, 0.0]);
        assert_eq!(leaf.record(&[]).features, []);
    }
}
