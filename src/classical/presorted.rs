//! Finds the splits of a tree (CART): each is the best over all features and thresholds.
//!
//! Every feature's values are sorted once. A node is the same index range in each of these orders. Splitting a node
//! partitions its range in every order and keeps the rows of each part sorted, so no node is sorted again, and a node
//! touches only its own rows. A value and its row are packed into one 64-bit number that sorts by value, so that
//! sorting, searching and partitioning access memory sequentially.

use std::collections::VecDeque;
use std::ops::Range;

use super::decision_tree::TreeSpec;
use super::impurity::Impurity;
use super::tree::{Node, Split};
use crate::device::memory;

/// Data and settings that a tree is grown from.
#[derive(Debug)]
pub(super) struct Presorted<'a> {
    spec: &'a TreeSpec,
    /// Number of classes.
    number_of_classes: usize,
    /// Weight of each class; `None` if all are equal.
    weights: Option<&'a [f64]>,
    /// Class of each row.
    classes: Vec<u16>,
    /// For each feature, its values with their rows, in ascending order.
    orders: Vec<Vec<Value>>,
}

/// A feature's value in a row: the upper 32 bits are the f32 in an order-preserving encoding, the lower 32 bits the
/// row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Value(u64);

impl Value {
    fn new(value: f32, row: usize) -> Value {
        let bits = (value + 0.0).to_bits(); // turns −0 into 0
        let ordered = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
        Value(u64::from(ordered) << 32 | row as u64)
    }

    fn row(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }

    fn equals(self, other: Value) -> bool {
        self.0 >> 32 == other.0 >> 32
    }

    fn value(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
    }
}

/// A node that can be split, and its best split.
struct Splittable {
    place: usize,
    depth: usize,
    range: Range<usize>,
    best: BestSplit,
}

/// A split of a node.
#[derive(Clone, Debug, PartialEq)]
struct BestSplit {
    gain: f64,
    feature: usize,
    threshold: f64,
    /// Number of the node's rows that go left.
    left: usize,
    /// Number of rows of each class that go left.
    counts: Vec<u64>,
}

impl<'a> Presorted<'a> {
    /// Sorts the columns. All values must be finite, and each class must be below `number_of_classes`.
    ///
    /// # Errors
    /// Those of the columns.
    pub(super) fn new(
        spec: &'a TreeSpec,
        number_of_classes: usize,
        weights: Option<&'a [f64]>,
        classes: Vec<u16>,
        columns: impl Iterator<Item = anyhow::Result<Vec<f32>>>,
    ) -> anyhow::Result<Self> {
        let sorted = |column: Vec<f32>| {
            let values = column.into_iter().enumerate();
            let mut order = memory::vec_with_capacity(values.len());
            order.extend(values.map(|(row, value)| Value::new(value, row)));
            order.sort_unstable();
            order
        };
        let orders = columns.map(|column| column.map(sorted)).collect::<anyhow::Result<_>>()?;
        Ok(Presorted { spec, number_of_classes, weights, classes, orders })
    }

    /// Grows the tree. Returns parents before children and the nodes of a level from left to right; leaves hold their
    /// counts.
    ///
    /// Among equally good splits it takes the first in the order of the features, then of their values.
    pub(super) fn grow(mut self) -> Vec<Node> {
        let mut counts = vec![0; self.number_of_classes];
        for &class in &self.classes {
            counts[usize::from(class)] += 1;
        }
        let (mut nodes, mut waiting) = (Vec::new(), VecDeque::new());
        let range = 0..self.classes.len();
        waiting.extend(self.add(&mut nodes, counts, range, 0));
        let mut goes_left = vec![false; self.classes.len()];
        while let Some(Splittable { place, depth, range, best }) = waiting.pop_front() {
            let Node::Leaf(counts) = &nodes[place] else { continue };
            let right_counts = counts.iter().zip(&best.counts).map(|(all, left)| all - left).collect();
            let middle = range.start + best.left;
            for (at, value) in range.clone().zip(&self.orders[best.feature][range.clone()]) {
                goes_left[value.row()] = at < middle;
            }
            self.partition(&range, &goes_left);
            let (left, right) = (nodes.len(), nodes.len() + 1);
            nodes[place] = Node::Split(Split { feature: best.feature, threshold: best.threshold, left, right });
            waiting.extend(self.add(&mut nodes, best.counts, range.start..middle, depth + 1));
            waiting.extend(self.add(&mut nodes, right_counts, middle..range.end, depth + 1));
        }
        nodes
    }

    /// Adds a node as a leaf. Returns its best split if it is to be split.
    fn add(&self, nodes: &mut Vec<Node>, counts: Vec<u64>, range: Range<usize>, depth: usize) -> Option<Splittable> {
        let is_pure = self.weight_and_impurity(&counts).1 <= f64::EPSILON; // as in scikit-learn
        let is_small = range.len() < self.spec.min_samples_split;
        let is_deep = self.spec.max_depth.is_some_and(|deepest| depth >= deepest);
        let best = if is_pure || is_small || is_deep { None } else { self.best(&counts, &range) };
        nodes.push(Node::Leaf(counts));
        best.map(|best| Splittable { place: nodes.len() - 1, depth, range, best })
    }

    /// Partitions an index range in every order: the rows that go left come first.
    fn partition(&mut self, range: &Range<usize>, goes_left: &[bool]) {
        let mut others = memory::vec_with_capacity(range.len());
        others.resize(range.len(), Value(0));
        for order in &mut self.orders {
            let range = &mut order[range.clone()];
            let (mut left, mut right) = (0, 0);
            for at in 0..range.len() {
                let value = range[at];
                let is_left = goes_left[value.row()];
                // Writes both and advances one, which avoids a branch that the CPU would mispredict.
                (range[left], others[right]) = (value, value);
                left += usize::from(is_left);
                right += usize::from(!is_left);
            }
            range[left..].copy_from_slice(&others[..right]);
        }
    }

    /// Returns the best split of a range; `None` if no split leaves enough rows on both sides.
    fn best(&self, counts: &[u64], range: &Range<usize>) -> Option<BestSplit> {
        let mut best = None;
        for (feature, order) in self.orders.iter().enumerate() {
            self.best_split_of_feature(feature, &order[range.clone()], counts, &mut best);
        }
        best
    }

    /// Replaces `best` with this feature's best split if that is better.
    ///
    /// A split between two values whose rows are all of one class is never the best (Fayyad and Irani 1992) and is
    /// skipped. That does not hold if leaves need several rows, because the best split may then be forbidden.
    fn best_split_of_feature(&self, feature: usize, range: &[Value], counts: &[u64], best: &mut Option<BestSplit>) {
        let fewest = self.spec.min_samples_leaf;
        let skips = fewest <= 1;
        let class = |value: Value| usize::from(self.classes[value.row()]);
        let (all, impurity) = self.weight_and_impurity(counts);
        let mut left = vec![0; counts.len()];
        let mut right = counts.to_vec();
        let mut is_mixed = false; // whether the rows of the last value have several classes
        let mut last_class = class(range[0]);
        left[last_class] += 1;
        for at in 1..range.len() {
            let (last, value) = (range[at - 1], range[at]);
            let this_class = class(value);
            if last.equals(value) {
                is_mixed |= this_class != last_class;
            } else {
                let differs = is_mixed || this_class != last_class;
                let goes_on = || range[at..].iter().take_while(|other| other.equals(value));
                let has_enough = at >= fewest && range.len() - at >= fewest;
                if has_enough && (differs || !skips || goes_on().any(|other| class(*other) != this_class)) {
                    right.iter_mut().zip(counts).zip(&left).for_each(|((right, all), left)| *right = all - left);
                    let (mass_left, impurity_left) = self.weight_and_impurity(&left);
                    let (mass_right, impurity_right) = self.weight_and_impurity(&right);
                    let gain = impurity - mass_left / all * impurity_left - mass_right / all * impurity_right;
                    if best.as_ref().is_none_or(|best| gain > best.gain) {
                        let threshold = (f64::from(value.value()) + f64::from(last.value())) / 2.0;
                        *best = Some(BestSplit { gain, feature, threshold, left: at, counts: left.clone() });
                    }
                }
                is_mixed = false;
            }
            last_class = this_class;
            left[this_class] += 1;
        }
    }
    /// Returns the total weight of the rows and their impurity.
    #[inline]
    fn weight_and_impurity(&self, counts: &[u64]) -> (f64, f64) {
        match self.weights {
            None => {
                let all = counts.iter().sum::<u64>() as f64;
                let class_weights_by_node = counts.iter().filter(|count| **count > 0).map(|count| *count as f64);
                (all, impurity(self.spec.criterion, class_weights_by_node, all))
            }
            Some(weights) => {
                let class_weights_by_node = || counts.iter().zip(weights).map(|(count, weight)| *count as f64 * weight);
                let all = class_weights_by_node().sum();
                (all, impurity(self.spec.criterion, class_weights_by_node().filter(|mass| *mass > 0.0), all))
            }
        }
    }
}

/// Returns the impurity of rows with these total weights by class, each above 0, whose sum is `all`.
#[inline]
fn impurity(criterion: Impurity, class_weights_by_node: impl Iterator<Item = f64>, all: f64) -> f64 {
    let shares = class_weights_by_node.map(|mass| mass / all);
    match criterion {
        Impurity::Gini => shares.fold(1.0, |impurity, share| impurity - share * share),
        Impurity::Entropy => shares.fold(0.0, |impurity, share| impurity - share * share.log2()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the gain of every split that leaves enough rows on both sides, feature by feature, by a scan of all rows
    /// for each threshold.
    fn gains(spec: &TreeSpec, weights: &[f64], columns: &[Vec<f32>], classes: &[u16], rows: &[usize]) -> Vec<f64> {
        let of = |rows: &[usize]| {
            let mut class_weights_by_node = vec![0.0; weights.len()];
            rows.iter().for_each(|&row| {
                class_weights_by_node[usize::from(classes[row])] += weights[usize::from(classes[row])]
            });
            (class_weights_by_node.iter().sum::<f64>(), spec.criterion.compute(&class_weights_by_node))
        };
        let (all, impurity) = of(rows);
        let mut gains = Vec::new();
        for column in columns {
            for threshold in rows.iter().map(|&row| column[row]) {
                let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| column[row] <= threshold);
                if left.len().min(right.len()) >= spec.min_samples_leaf.max(1) {
                    let ((left, impurity_left), (right, impurity_right)) = (of(&left), of(&right));
                    gains.push(impurity - (left * impurity_left + right * impurity_right) / all);
                }
            }
        }
        gains
    }

    proptest! {
        #[test]
        fn every_split_is_the_best_there_is_and_every_leaf_has_a_reason(
            rows in proptest::collection::vec((0..3_u16, proptest::collection::vec(-3..4_i8, 3)), 1..40),
            weights in proptest::option::of(proptest::collection::vec(0.01..1.0_f64, 3)),
            entropy in any::<bool>(),
            min_samples_leaf in 1..5_usize,
            min_samples_split in 2..8_usize,
            max_depth in proptest::option::of(1..5_usize),
        ) {
            let criterion = if entropy { Impurity::Entropy } else { Impurity::Gini };
            let spec = TreeSpec { criterion, max_depth, min_samples_leaf, min_samples_split, ..TreeSpec::default() };
            let classes: Vec<u16> = rows.iter().map(|(class, _)| *class).collect();
            let columns: Vec<Vec<f32>> =
                (0..3).map(|feature| rows.iter().map(|(_, row)| f32::from(row[feature]) / 2.0).collect()).collect();
            let values = columns.iter().cloned().map(Ok);
            let nodes = Presorted::new(&spec, 3, weights.as_deref(), classes.clone(), values).unwrap().grow();
            let weights = weights.unwrap_or(vec![1.0; 3]);

            let mut reached = vec![((0..rows.len()).collect::<Vec<usize>>(), 0)]; // rows and depth, node by node
            for (place, node) in nodes.iter().enumerate() {
                let (rows, depth) = reached[place].clone();
                let mut counts = vec![0; 3];
                rows.iter().for_each(|&row| counts[usize::from(classes[row])] += 1);
                let gains = gains(&spec, &weights, &columns, &classes, &rows);
                match node {
                    Node::Leaf(counted) => {
                        prop_assert_eq!(counted, &counts);
                        let is_pure = counts.iter().filter(|count| **count > 0).count() == 1;
                        let is_small = rows.len() < min_samples_split;
                        prop_assert!(is_pure || is_small || max_depth == Some(depth) || gains.is_empty());
                    }
                    Node::Split(split) => {
                        prop_assert!(max_depth.is_none_or(|deepest| depth < deepest));
                        prop_assert_eq!((split.left, split.right), (reached.len(), reached.len() + 1));
                        let goes_left = |row: &usize| f64::from(columns[split.feature][*row]) <= split.threshold;
                        let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| goes_left(row));
                        let best = gains.into_iter().fold(f64::NEG_INFINITY, f64::max);
                        let one = [columns[split.feature].iter().map(|&value| f32::from(f64::from(value) > split.threshold)).collect()];
                        let own = self::gains(&spec, &weights, &one, &classes, &rows);
                        prop_assert!(own.iter().any(|gain| (gain - best).abs() < 1e-12), "{own:?} {best}");
                        reached.extend([(left, depth + 1), (right, depth + 1)]);
                    }
                }
            }
            prop_assert_eq!(reached.len(), nodes.len());
        }

        #[test]
        fn values_are_ordered_as_numbers_and_read_back(a in any::<f32>(), b in any::<f32>()) {
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(Value::new(a, 7).value(), a);
            prop_assert_eq!(Value::new(a, 7).row(), 7);
            prop_assert_eq!(Value::new(a, 0).cmp(&Value::new(b, 0)), a.partial_cmp(&b).unwrap());
            prop_assert_eq!(Value::new(a, 1).equals(Value::new(b, 2)), a == b);
        }
    }
}
