//! Grows a tree from training rows as scikit-learn does: every split is the best one available, and class weights apply
//! to impurities.
//!
//! scikit-learn draws a new order of features at every node. Here one order is drawn for the whole tree, so the choice
//! among equally good splits may differ from scikit-learn's.

use anyhow::{Context, ensure};

use super::decision_tree::TreeSpec;
use super::presorted::Presorted;
use super::tree::{Node, Tree, table};
use crate::data::split::numpy_random::RandomState;
use crate::data::{Rows, Training};
use crate::tensor::seed;

impl TreeSpec {
    /// Fits a tree to training rows with this number of classes. The settings must have been checked.
    ///
    /// As scikit-learn's `random_state` does, `seed` decides between equally good splits: the features are tried in an
    /// order drawn from its lower 32 bits. If every split has a single best choice, all seeds give the same tree. The
    /// fit cannot be interrupted.
    ///
    /// # Errors
    /// When a feature is not finite, or the rows have sample weights.
    pub fn fit(&self, training: &Training, classes: usize, seed: i64) -> anyhow::Result<Tree> {
        let rows = training.rows();
        ensure!(
            rows.weights.is_none(),
            "a decision tree does not support sample weights, but the training rows have them"
        );
        let (features, width) = table(&rows.features); // [rows, features] f32
        ensure!(!rows.is_empty() && width > 0, "a decision tree needs at least one row and one feature");
        ensure!(u32::try_from(rows.len()).is_ok(), "a decision tree supports at most 4,294,967,295 training rows");

        let weights = weights(self, rows, classes);
        let classes_of_rows = Vec::<i64>::try_from(&rows.targets).context("a decision tree needs class targets")?;
        let classes_of_rows = classes_of_rows.into_iter().map(u16::try_from).collect::<Result<Vec<u16>, _>>();
        let classes_of_rows = classes_of_rows.context("a decision tree supports at most 65,536 classes")?;
        let order = RandomState::new(seed::low_bits(seed)).permutation(width);
        let columns = order.iter().map(|&feature| {
            let values = Vec::<f32>::try_from(features.select(1, feature as i64).contiguous())?;
            ensure!(values.iter().all(|value| value.is_finite()), "a feature of the training rows is not finite");
            Ok(values)
        });
        let mut nodes = Presorted::new(self, classes, weights.as_deref(), classes_of_rows, columns)?.grow();
        for node in &mut nodes {
            if let Node::Split(split) = node {
                split.feature = order[split.feature];
            }
        }
        Ok(Tree { criterion: self.criterion, features: width, classes, weights, nodes })
    }
}

/// Returns the weight of each class divided by the largest weight; `None` if all are equal.
fn weights(spec: &TreeSpec, rows: &Rows, classes: usize) -> Option<Vec<f64>> {
    let weights = spec.class_weights.as_ref()?.class_weights_from_counts(&rows.counts(classes));
    let largest = weights.iter().copied().fold(0.0, f64::max);
    // Scaled this way, neither sums nor shares of weights overflow or underflow in f64.
    let weights: Vec<f64> = weights.iter().map(|weight| (weight / largest).max(f64::MIN_POSITIVE)).collect();
    weights.iter().any(|weight| *weight != 1.0).then_some(weights)
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;
    use crate::data::prepare::weights::Weights;
    use crate::tensor::predictor::Predictor;

    fn training(features: &[f32], width: i64, classes: &[i64]) -> Training {
        Training::from(Rows::new(Tensor::from_slice(features).view([-1, width]), Tensor::from_slice(classes)))
    }

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.flatten(0, -1)).unwrap()
    }

    #[test]
    fn leaves_hold_the_shares_of_the_training_rows_that_reach_them() {
        let rows = training(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1, &[0, 0, 1, 0, 1, 1]);
        let spec = TreeSpec { max_depth: Some(1), ..TreeSpec::default() };
        let tree = spec.fit(&rows, 2, 0).unwrap();
        assert_eq!((tree.depth(), tree.leaves(), tree.nodes()), (1, 2, 3));
        let outputs = tree.outputs(&Tensor::from_slice(&[0.0_f32, 9.0]).view([2, 1]));
        let sure = numbers(&outputs);
        // Two splits are equally good: after 1.0 and after 3.0.
        assert!(sure == [1.0, 0.0, 0.25, 0.75] || sure == [0.75, 0.25, 0.0, 1.0], "{sure:?}");
        let full = TreeSpec::default().fit(&rows, 2, 0).unwrap();
        assert_eq!(numbers(&full.outputs(&rows.rows().features).argmax(-1, false)), [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_class_that_does_not_occur_has_a_share_of_zero() {
        let rows = training(&[0.0, 1.0, 2.0], 1, &[0, 2, 2]);
        let outputs = TreeSpec::default().fit(&rows, 4, 0).unwrap().outputs(&rows.rows().features);
        assert_eq!(outputs.size(), [3, 4]);
        assert_eq!(numbers(&outputs), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let one = training(&[0.0, 1.0], 1, &[1, 1]);
        let tree = TreeSpec::default().fit(&one, 2, 0).unwrap();
        assert_eq!((tree.depth(), tree.leaves(), tree.nodes()), (0, 1, 1));
        assert_eq!(numbers(&tree.outputs(&one.rows().features)), [0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn values_as_near_as_f32_has_them_are_told_apart() {
        let next = f32::from_bits(1.0_f32.to_bits() + 1);
        let rows = training(&[1.0, next], 1, &[0, 1]);
        let tree = TreeSpec::default().fit(&rows, 2, 0).unwrap();
        assert_eq!(numbers(&tree.outputs(&rows.rows().features)), [1.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_seed_chooses_between_equally_good_features_and_nothing_else() {
        let features: Vec<f32> = (0..8).flat_map(|row| [row as f32; 4]).collect();
        let rows = training(&features, 4, &[0, 0, 0, 0, 1, 1, 1, 1]);
        let first = |seed| {
            let tree = TreeSpec::default().fit(&rows, 2, seed).unwrap();
            assert_eq!(tree.nodes(), 3);
            tree.splits().iter().position(|splits| *splits == 1).unwrap()
        };
        let chosen: std::collections::BTreeSet<usize> = (0..20).map(first).collect();
        assert_eq!(chosen.len(), 4, "each of the four is chosen by some seed");
        assert_eq!(first(3), first(3));
    }

    #[test]
    fn a_class_counts_in_the_shares_of_a_leaf_by_its_weight() {
        let rows = training(&[0.0; 5], 1, &[0, 0, 0, 1, 1]);
        let shares = |weights| {
            let spec = TreeSpec { class_weights: Some(weights), ..TreeSpec::default() };
            let tree = spec.fit(&rows, 2, 0).unwrap();
            numbers(&tree.outputs(&rows.rows().features.narrow(0, 0, 1)))
        };
        let near = |found: Vec<f64>, wanted: [f64; 2]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near(shares(Weights::Each(vec![0.5, 3.3])), [1.5 / 8.1, 6.6 / 8.1]));
        assert!(near(shares(Weights::Balanced), [0.5, 0.5]));
        assert_eq!(shares(Weights::Each(vec![7.0, 7.0])), [0.6, 0.4]);
        for extreme in [vec![1.0, 1e30], vec![1e-300, 1e300], vec![f64::MIN_POSITIVE, f64::MAX]] {
            assert!(near(shares(Weights::Each(extreme)), [0.0, 1.0]));
        }
    }

    #[test]
    fn the_fewest_rows_of_a_leaf_and_of_a_split_are_rows_whatever_they_weigh() {
        // Values 0 to 9; a split after the first row separates the classes.
        let values: Vec<f32> = (0..10).map(|value| value as f32).collect();
        let rows = training(&values, 1, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let leaves = |min_samples_leaf, min_samples_split| {
            let class_weights = Some(Weights::Each(vec![1.0, 100.0]));
            let spec = TreeSpec { class_weights, min_samples_leaf, min_samples_split, ..TreeSpec::default() };
            spec.fit(&rows, 2, 0).unwrap().leaves()
        };
        assert_eq!((leaves(1, 2), leaves(6, 2), leaves(1, 11)), (2, 1, 1));
    }

    #[test]
    fn features_that_are_not_finite_are_an_error() {
        let rows = training(&[0.0, f32::NAN, 2.0], 1, &[0, 1, 1]);
        assert!(TreeSpec::default().fit(&rows, 2, 0).unwrap_err().to_string().contains("is not finite"));
    }
}
