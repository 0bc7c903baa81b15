//! Growing a tree from training rows, as scikit-learn does: each split is the best there is, and rows of a heavier class
//! count as if they were repeated.
//!
//! scikit-learn tries the features in an order drawn anew at each node. Here one order is drawn for the whole tree, so
//! that splits which are equally good may be others than its own.

use anyhow::{Context, ensure};
use tch::Kind;

use super::decision_tree::TreeSpec;
use super::presorted::Presorted;
use super::tree::{Node, Tree, table};
use crate::check::Invalid;
use crate::data::numpy_random::RandomState;
use crate::data::{Rows, told};

/// How many rows there may be, repeated ones counted: f64 tells so many apart.
const MOST_ROWS: f64 = (1_u64 << 53) as f64;

/// Fits a tree with settings that were checked.
///
/// # Errors
/// As for [`TreeSpec::fit`].
pub(super) fn tree(spec: &TreeSpec, rows: &Rows, classes: usize, seed: i64) -> anyhow::Result<Tree> {
    ensure!(rows.weights.is_none(), "a decision tree cannot weigh single rows, and the training rows have weights");
    let (features, width) = table(&rows.features); // [rows, features] f32
    ensure!(!rows.is_empty() && width > 0, "a decision tree needs a row and a feature to be fitted to");
    ensure!(u32::try_from(rows.len()).is_ok(), "a decision tree is fitted to 4,294,967,295 rows at most");

    let times = times(spec, rows, classes)?;
    let classes_of_rows = Vec::<i64>::try_from(&rows.targets).context("a decision tree is fitted to classes")?;
    let classes_of_rows = classes_of_rows.into_iter().map(u16::try_from).collect::<Result<Vec<u16>, _>>();
    let classes_of_rows = classes_of_rows.context("a decision tree tells 65,536 classes apart at most")?;
    let order = RandomState::new(seed as u32).permutation(width);
    let columns = order.iter().map(|&feature| {
        let values = Vec::<f32>::try_from(features.select(1, feature as i64).contiguous())?;
        ensure!(values.iter().all(|value| value.is_finite()), "a feature of the training rows is not a finite number");
        Ok(values)
    });
    let mut nodes = Presorted::new(spec, &times, classes_of_rows, columns)?.grow();
    for node in &mut nodes {
        if let Node::Split(split) = node {
            split.feature = order[split.feature];
        }
    }
    Ok(Tree::of(spec.criterion, width, classes, nodes))
}

/// How many times a row of each class counts.
fn times(spec: &TreeSpec, rows: &Rows, classes: usize) -> anyhow::Result<Vec<u64>> {
    let Some(weights) = &spec.class_weights else { return Ok(vec![1; classes]) };
    let weights = weights.of_classes(&rows.targets.unsqueeze(0), classes).get(0).to_kind(Kind::Double);
    let weights = Vec::<f64>::try_from(weights)?;
    let lightest = weights.iter().copied().fold(f64::INFINITY, f64::min);
    let times: Vec<f64> = weights.iter().map(|weight| (weight / lightest).round()).collect();

    let counts = rows.counts(classes);
    let repeated: f64 = counts.iter().zip(&times).map(|(&count, times)| count as f64 * times).sum();
    if repeated > MOST_ROWS {
        let message = format!("would repeat rows until there are {repeated:e}, and {MOST_ROWS:e} are the most");
        return Err(told(Invalid::new("tree.class_weights", message).hint("weigh the classes less unequally")));
    }
    Ok(times.into_iter().map(|times| times as u64).collect())
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;
    use crate::data::Training;
    use crate::data::weights::Weights;
    use crate::predictor::Predictor;

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
        // two ways to split are equally good: after 1.0, and after 3.0
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
    fn a_heavy_class_counts_as_if_its_rows_were_repeated() {
        let rows = training(&[0.0; 5], 1, &[0, 0, 0, 1, 1]);
        let spec = |weights| TreeSpec { class_weights: Some(weights), ..TreeSpec::default() };
        let shares = |weights| {
            let tree = spec(weights).fit(&rows, 2, 0).unwrap();
            numbers(&tree.outputs(&rows.rows().features.narrow(0, 0, 1)))
        };
        assert_eq!(shares(Weights::Each(vec![0.5, 3.3])), [3.0 / 17.0, 14.0 / 17.0]); // 6.6 to 1 are 7 to 1
        assert_eq!(shares(Weights::Balanced), [3.0 / 7.0, 4.0 / 7.0]); // 3 to 2 are 1.5 to 1, and 2 is nearest
        let weights = Weights::Each(vec![1.0, 1e30]);
        let fault = spec(weights).fit(&rows, 2, 0).unwrap_err();
        assert!(fault.chain().any(|cause| cause.to_string().starts_with("`tree.class_weights` would")), "{fault:#}");
    }

    #[test]
    fn features_that_are_not_finite_are_an_error() {
        let rows = training(&[0.0, f32::NAN, 2.0], 1, &[0, 1, 1]);
        assert!(TreeSpec::default().fit(&rows, 2, 0).unwrap_err().to_string().contains("not a finite number"));
    }
}
