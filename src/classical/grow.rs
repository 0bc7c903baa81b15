//! Growing a tree: smartcore's `DecisionTreeClassifier` finds the splits, and what reaches each leaf is counted here.
//!
//! - smartcore keeps its nodes to itself, but writes them out through serde: that is where they are read from.
//! - It takes the first of equally good splits in the order of the columns. The columns are therefore handed over in an
//!   order drawn from the seed, as scikit-learn draws one at each node.
//! - It computes in the type of its features: f32 as a network has them, as f64, so that the middle between two
//!   neighboring values is a number between them.
//! - It tries no split between two rows of the same class, in the order of their values. No best split lies there, with
//!   two exceptions: where rows of several classes share a value, a split beside it may go untried; and where leaves
//!   must have several rows, the best split that leaves them so many may lie inside a class. Trees of whole numbers
//!   (`digits`) thus differ from scikit-learn's and are as good, by the tests.
//! - At each node it goes through all rows, those of other nodes too, and it keeps a count for every row with each node
//!   that waits to be split.
//! - Its leaves know the most frequent class alone. The shares of the classes are counted by sending every training row
//!   down the tree.

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters, SplitCriterion,
};
use tch::{Kind, Tensor};

use super::decision_tree::{Impurity, TreeSpec};
use super::tree::{Node, Split, Tree, table};
use crate::check::Invalid;
use crate::data::numpy_random::RandomState;
use crate::data::{Rows, told};

/// How many rows there may be once they are repeated for their weights: 30 features of that many are 2.4 GB.
const MOST_ROWS: usize = 10_000_000;

/// Fits a tree with settings that were checked.
///
/// # Errors
/// As for [`TreeSpec::fit`].
pub(super) fn tree(spec: &TreeSpec, rows: &Rows, classes: usize, seed: i64) -> anyhow::Result<Tree> {
    ensure!(rows.weights.is_none(), "a decision tree cannot weigh single rows, and the training rows have weights");
    let (features, width) = table(&rows.features); // [rows, features] f32
    ensure!(!rows.is_empty() && width > 0, "a decision tree needs a row and a feature to be fitted to");
    ensure!(bool::try_from(features.isfinite().all())?, "a feature of the training rows is not a finite number");

    let classes_of_rows = Vec::<i64>::try_from(&rows.targets).context("a decision tree is fitted to classes")?;
    let times = times(spec, &rows.targets, classes)?; // of each class
    let times_of = |class: i64| times[class as usize];
    let numbers: Vec<i64> =
        (0..).zip(&classes_of_rows).flat_map(|(row, &class)| std::iter::repeat_n(row, times_of(class))).collect();
    let numbers = Tensor::from_slice(&numbers);
    let order = RandomState::new(seed as u32).permutation(width);
    let places: Vec<i64> = order.iter().map(|&feature| feature as i64).collect();
    let columns = features.index_select(0, &numbers).index_select(1, &Tensor::from_slice(&places));

    let targets = rows.targets.index_select(0, &numbers);
    let mut nodes = splits(spec, &columns, &targets)?;
    for node in &mut nodes {
        match node {
            Node::Split(split) => split.feature = order[split.feature],
            Node::Leaf(counts) => *counts = vec![0; classes],
        }
    }
    let mut tree = Tree::of(spec.criterion, width, classes, nodes);
    for (leaf, class) in tree.leaves_of(&features).into_iter().zip(classes_of_rows) {
        tree.count(leaf, class as usize, times_of(class) as u64);
    }
    Ok(tree)
}

/// How many times a row of each class counts.
fn times(spec: &TreeSpec, targets: &Tensor, classes: usize) -> anyhow::Result<Vec<usize>> {
    let Some(weights) = &spec.class_weights else { return Ok(vec![1; classes]) };
    let weights = weights.of_classes(&targets.unsqueeze(0), classes).get(0).to_kind(Kind::Double);
    let weights = Vec::<f64>::try_from(weights)?;
    let lightest = weights.iter().copied().fold(f64::INFINITY, f64::min);
    let times: Vec<usize> = weights.iter().map(|weight| (weight / lightest).round() as usize).collect();

    let counts = Vec::<i64>::try_from(targets.bincount::<Tensor>(None, classes as i64))?;
    let rows: f64 = counts.iter().zip(&times).map(|(&count, &times)| count as f64 * times as f64).sum();
    if rows > MOST_ROWS as f64 {
        let message = format!("would repeat rows until there are {rows:.0}, and {MOST_ROWS} are the most");
        return Err(told(Invalid::new("tree.class_weights", message).hint("weigh the classes less unequally")));
    }
    Ok(times)
}

/// What smartcore writes out of a fitted tree; the rest is not needed.
#[derive(Deserialize)]
struct Fitted {
    nodes: Vec<FittedNode>,
}

/// A node of smartcore's. One that was found a split for, but was not to be split, has no children.
#[derive(Deserialize)]
struct FittedNode {
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

/// The splits that smartcore finds; leaves are still without counts.
///
/// # Shapes
/// `columns` `[rows, features]`, f32; `targets` `[rows]`, int64.
fn splits(spec: &TreeSpec, columns: &Tensor, targets: &Tensor) -> anyhow::Result<Vec<Node>> {
    let targets: Vec<u32> = Vec::<i64>::try_from(targets)?.into_iter().map(|class| class as u32).collect();
    if targets.iter().all(|class| *class == targets[0]) {
        return Ok(vec![Node::Leaf(Vec::new())]); // smartcore refuses a single class
    }
    let (rows, width) = columns.size2()?;
    let values = Vec::<f64>::try_from(columns.transpose(0, 1).to_kind(Kind::Double).contiguous().flatten(0, -1))?;
    let columns = DenseMatrix::new(rows as usize, width as usize, values, true).map_err(|fault| anyhow!("{fault}"))?;
    let parameters = DecisionTreeClassifierParameters {
        criterion: match spec.criterion {
            Impurity::Gini => SplitCriterion::Gini,
            Impurity::Entropy => SplitCriterion::Entropy,
        },
        max_depth: spec.max_depth.map(|splits| splits as u16 + 1), // smartcore counts levels
        min_samples_leaf: spec.min_samples_leaf,
        min_samples_split: spec.min_samples_split,
        seed: Some(0), // draws nothing as long as every feature is tried
    };
    let fitted = DecisionTreeClassifier::fit(&columns, &targets, parameters)
        .map_err(|fault| anyhow!("{fault}").context("failed to fit the decision tree"))?;
    let fitted = serde_json::to_value(&fitted).and_then(serde_json::from_value::<Fitted>);
    let node = |node: FittedNode| match (node.split_value, node.true_child, node.false_child) {
        (Some(threshold), Some(left), Some(right)) => {
            Node::Split(Split { feature: node.split_feature, threshold, left, right })
        }
        _ => Node::Leaf(Vec::new()),
    };
    Ok(fitted.context("smartcore's tree has another form than it had")?.nodes.into_iter().map(node).collect())
}

#[cfg(test)]
mod tests {
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
        let weights = Weights::Each(vec![1.0, 1e8]);
        let fault = spec(weights).fit(&rows, 2, 0).unwrap_err();
        assert!(fault.chain().any(|cause| cause.to_string().starts_with("`tree.class_weights` would")), "{fault:#}");
    }

    #[test]
    fn features_that_are_not_finite_are_an_error() {
        let rows = training(&[0.0, f32::NAN, 2.0], 1, &[0, 1, 1]);
        assert!(TreeSpec::default().fit(&rows, 2, 0).unwrap_err().to_string().contains("not a finite number"));
    }
}
