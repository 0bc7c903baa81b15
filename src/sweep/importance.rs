//! Importance of settings by functional ANOVA: the share of the variance of a metric that each setting explains alone.
//!
//! A random forest of regression trees is fitted to the configurations. Each tree divides the space of settings into
//! boxes with one value each. The marginal of a setting is the mean of these values over all other settings, and its
//! variance over the setting, divided by the variance over the whole space, is its importance (Hutter, Hoos and
//! Leyton-Brown 2014). Optuna's `FanovaImportanceEvaluator` computes the same with one-hot columns for choices; here each
//! choice has the same weight. Interactions of settings are not attributed to either of them.

use crate::data::split::numpy_random::RandomState;

/// Number of trees, as in Optuna.
const TREES: usize = 64;

/// Maximum depth of a tree, as in Optuna.
const DEEPEST: usize = 64;

/// The values that a setting can have.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Numbers in this range, on the scale of the search: logarithms if the search is logarithmic.
    Range(f64, f64),
    /// This number of choices, numbered from 0.
    Choices(usize),
}

/// Returns the importance of each setting; they sum to 1. `rows` has the values of the settings of each configuration, and
/// `targets` its metric. `None` if the metric is the same everywhere, or if there are fewer than two configurations.
///
/// All numbers must be finite. The same `seed` gives the same result.
pub fn importance(domains: &[Domain], rows: &[Vec<f64>], targets: &[f64], seed: u32) -> Option<Vec<f64>> {
    let mut random = RandomState::new(seed);
    let seeds = random.integers(i32::MAX as usize, TREES);
    let mut shares = vec![0.0; domains.len()];
    for seed in seeds {
        let mut tree_random = RandomState::new(seed as u32);
        let sample = tree_random.integers(rows.len().max(1), rows.len());
        let mut grower = Grower { domains, rows, targets, random: tree_random, leaves: Vec::new() };
        if !rows.is_empty() {
            grower.grow(sample, domains.iter().map(Side::whole).collect(), 0);
        }
        let leaves = Leaves::new(domains, grower.leaves);
        if leaves.variance > 0.0 {
            for (setting, share) in shares.iter_mut().enumerate() {
                *share += leaves.marginal_variance(setting) / leaves.variance;
            }
        }
    }
    let total: f64 = shares.iter().sum();
    (total > 0.0).then(|| shares.iter().map(|share| share / total).collect())
}

/// Part of the values of one setting.
#[derive(Clone, Debug)]
enum Side {
    /// Numbers between these.
    Interval(f64, f64),
    /// For each choice, whether it belongs to the part.
    Choices(Vec<bool>),
}

impl Side {
    /// Returns all values of a setting.
    fn whole(domain: &Domain) -> Side {
        match *domain {
            Domain::Range(low, high) => Side::Interval(low, high),
            Domain::Choices(count) => Side::Choices(vec![true; count]),
        }
    }

    /// Returns the share of the setting's values that are in this part.
    fn share(&self, domain: &Domain) -> f64 {
        match (self, domain) {
            (Side::Interval(low, high), Domain::Range(lowest, highest)) if highest > lowest => {
                (high - low) / (highest - lowest)
            }
            (Side::Choices(chosen), _) => {
                chosen.iter().filter(|&&is_in| is_in).count() as f64 / chosen.len().max(1) as f64
            }
            _ => 1.0,
        }
    }
}

/// A division of the values of one setting.
#[derive(Clone, Copy, Debug)]
enum Split {
    /// Numbers up to this one, and larger ones.
    AtMost(f64),
    /// This choice, and all others.
    Choice(usize),
}

impl Split {
    /// Whether a value is on the first side.
    fn is_first(self, value: f64) -> bool {
        match self {
            Split::AtMost(threshold) => value <= threshold,
            Split::Choice(choice) => value as usize == choice,
        }
    }

    /// Returns both sides of a part.
    fn sides(self, part: &Side) -> [Side; 2] {
        match (self, part) {
            (Split::AtMost(threshold), Side::Interval(low, high)) => {
                let threshold = threshold.clamp(*low, *high);
                [Side::Interval(*low, threshold), Side::Interval(threshold, *high)]
            }
            (Split::Choice(choice), Side::Choices(chosen)) => [true, false].map(|is_first| {
                let is_in = |(other, &is_in): (usize, &bool)| is_in && (other == choice) == is_first;
                Side::Choices(chosen.iter().enumerate().map(is_in).collect())
            }),
            (_, part) => [part.clone(), part.clone()],
        }
    }
}

/// A box of a tree: its value and its part of each setting.
#[derive(Debug)]
struct Leaf {
    value: f64,
    sides: Vec<Side>,
}

/// Grows a regression tree until each leaf has one value.
struct Grower<'a> {
    domains: &'a [Domain],
    rows: &'a [Vec<f64>],
    targets: &'a [f64],
    random: RandomState,
    leaves: Vec<Leaf>,
}

impl Grower<'_> {
    /// Adds the leaves of a node with these rows.
    fn grow(&mut self, sample: Vec<usize>, sides: Vec<Side>, depth: usize) {
        let mean = sample.iter().map(|&row| self.targets[row]).sum::<f64>() / sample.len() as f64;
        let is_pure = sample.iter().all(|&row| self.targets[row] == self.targets[sample[0]]);
        let best = if is_pure || depth == DEEPEST { None } else { self.best_split(&sample) };
        let Some((setting, split)) = best else {
            self.leaves.push(Leaf { value: mean, sides });
            return;
        };
        let (first, second): (Vec<usize>, Vec<usize>) =
            sample.into_iter().partition(|&row| split.is_first(self.rows[row][setting]));
        for (rows, side) in [first, second].into_iter().zip(split.sides(&sides[setting])) {
            let mut sides = sides.clone();
            sides[setting] = side;
            self.grow(rows, sides, depth + 1);
        }
    }

    /// Returns the split that reduces the squared error most. The settings are tried in random order, which decides between
    /// equal splits.
    fn best_split(&mut self, sample: &[usize]) -> Option<(usize, Split)> {
        let mut best: Option<(f64, usize, Split)> = None;
        for setting in self.random.permutation(self.domains.len()) {
            let mut pairs: Vec<(f64, f64)> =
                sample.iter().map(|&row| (self.rows[row][setting], self.targets[row])).collect();
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let total: f64 = pairs.iter().map(|pair| pair.1).sum();
            let count = pairs.len() as f64;
            // larger is better: the squared sums of both sides over their numbers of rows
            let gain = |sum: f64, rows: f64| sum * sum / rows + (total - sum).powi(2) / (count - rows);
            let mut consider = |gain: f64, split: Split| {
                if best.is_none_or(|(most, ..)| gain > most) {
                    best = Some((gain, setting, split));
                }
            };
            let (mut sum, mut rows) = (0.0, 0.0);
            for group in pairs.chunk_by(|a, b| a.0 == b.0) {
                let (of_group, size) = (group.iter().map(|pair| pair.1).sum::<f64>(), group.len() as f64);
                if let Domain::Choices(_) = self.domains[setting] {
                    if size < count {
                        consider(gain(of_group, size), Split::Choice(group[0].0 as usize));
                    }
                    continue;
                }
                if rows > 0.0 {
                    let before = pairs[rows as usize - 1].0;
                    let middle = before + (group[0].0 - before) / 2.0;
                    let threshold = if middle < group[0].0 { middle } else { before };
                    consider(gain(sum, rows), Split::AtMost(threshold));
                }
                (sum, rows) = (sum + of_group, rows + size);
            }
        }
        best.map(|(_, setting, split)| (setting, split))
    }
}

/// The boxes of a tree, which fill the space of settings.
struct Leaves<'a> {
    domains: &'a [Domain],
    /// Share of each setting's values in each leaf.
    shares: Vec<Vec<f64>>,
    leaves: Vec<Leaf>,
    mean: f64,
    variance: f64,
}

impl<'a> Leaves<'a> {
    fn new(domains: &'a [Domain], leaves: Vec<Leaf>) -> Leaves<'a> {
        let of_leaf = |leaf: &Leaf| leaf.sides.iter().zip(domains).map(|(side, domain)| side.share(domain)).collect();
        let shares: Vec<Vec<f64>> = leaves.iter().map(of_leaf).collect();
        let weighted = |value: &dyn Fn(&Leaf) -> f64| -> f64 {
            leaves.iter().zip(&shares).map(|(leaf, shares)| value(leaf) * shares.iter().product::<f64>()).sum()
        };
        let mean = weighted(&|leaf| leaf.value);
        let variance = weighted(&|leaf| (leaf.value - mean).powi(2));
        Leaves { domains, shares, leaves, mean, variance }
    }

    /// Returns the variance of the mean over all other settings, over the values of one setting.
    fn marginal_variance(&self, setting: usize) -> f64 {
        let parts = self.leaves.iter().zip(&self.shares).map(|(leaf, shares)| {
            let others = shares.iter().enumerate().filter(|(other, _)| *other != setting).map(|(_, share)| share);
            (&leaf.sides[setting], leaf.value * others.product::<f64>())
        });
        let squared = |marginal: f64| (marginal - self.mean).powi(2);
        match self.domains[setting] {
            Domain::Choices(count) => {
                let mut marginals = vec![0.0; count];
                for (side, value) in parts {
                    if let Side::Choices(chosen) = side {
                        let chosen = marginals.iter_mut().zip(chosen).filter(|(_, is_in)| **is_in);
                        chosen.for_each(|(marginal, _)| *marginal += value);
                    }
                }
                marginals.into_iter().map(squared).sum::<f64>() / count.max(1) as f64
            }
            Domain::Range(lowest, highest) if highest > lowest => {
                let mut changes: Vec<(f64, f64)> = Vec::new();
                for (side, value) in parts {
                    if let Side::Interval(low, high) = side {
                        changes.extend([(*low, value), (*high, -value)]);
                    }
                }
                changes.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (mut marginal, mut from, mut variance) = (0.0, lowest, 0.0);
                for (place, change) in changes {
                    variance += (place - from) / (highest - lowest) * squared(marginal);
                    (marginal, from) = (marginal + change, place);
                }
                variance
            }
            Domain::Range(..) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns configurations of three settings between 0 and 1, as `np.random.RandomState(seed).uniform(size=(count, 3))`.
    fn uniform(count: usize, seed: u32) -> Vec<Vec<f64>> {
        RandomState::new(seed).uniform(3 * count).chunks(3).map(<[f64]>::to_vec).collect()
    }

    fn assert_close(found: &[f64], wanted: &[f64], tolerance: f64) {
        let is_close = found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < tolerance);
        assert!(is_close && found.len() == wanted.len(), "{found:?}, expected {wanted:?}");
    }

    #[test]
    fn importances_are_those_of_optuna() {
        let domains = vec![Domain::Range(0.0, 1.0); 3];
        let of = |count, seed, metric: &dyn Fn(&[f64]) -> f64| {
            let rows = uniform(count, seed);
            let targets: Vec<f64> = rows.iter().map(|row| metric(row)).collect();
            importance(&domains, &rows, &targets, 0).unwrap()
        };
        // means of Optuna 5.0.0 over 10 seeds of its forest; their standard deviations are up to 0.022
        assert_close(
            &of(64, 0, &|row| (row[0] - 0.5).powi(2) + 0.3 * row[1] * row[2]),
            &[0.5477, 0.2145, 0.2378],
            0.03,
        );
        assert_close(&of(200, 1, &|row| (row[0] - 0.3).abs() * row[1] + 0.1 * row[2]), &[0.5760, 0.4091, 0.0149], 0.02);
    }

    #[test]
    fn choices_and_numbers_have_their_shares_of_the_variance() {
        let rows: Vec<Vec<f64>> = uniform(400, 3).iter().map(|row| vec![row[0], (row[1] * 4.0).floor()]).collect();
        let of_choice = [0.0, 0.5, 1.5, 0.2];
        let targets: Vec<f64> = rows.iter().map(|row| 2.0 * row[0] + of_choice[row[1] as usize]).collect();
        let found = importance(&[Domain::Range(0.0, 1.0), Domain::Choices(4)], &rows, &targets, 0).unwrap();
        // variances: 4 / 12 of the number, 0.3325 of the choices
        assert_close(&found, &[0.5006, 0.4994], 0.02);
    }

    #[test]
    fn there_is_no_importance_without_differences() {
        let domains = [Domain::Range(0.0, 1.0), Domain::Range(2.0, 2.0)];
        assert_eq!(importance(&domains, &[vec![0.2, 2.0], vec![0.7, 2.0]], &[1.0, 1.0], 0), None);
        assert_eq!(importance(&domains, &[vec![0.2, 2.0]], &[1.0], 0), None);
        assert_eq!(importance(&domains, &[], &[], 0), None);
        let found = importance(&domains, &[vec![0.2, 2.0], vec![0.7, 2.0]], &[1.0, 2.0], 0);
        assert_eq!(found, Some(vec![1.0, 0.0]));
    }

    #[test]
    fn the_same_seed_gives_the_same_importances() {
        let rows = uniform(50, 5);
        let targets: Vec<f64> = rows.iter().map(|row| row[0] * row[1]).collect();
        let domains = vec![Domain::Range(0.0, 1.0); 3];
        assert_eq!(importance(&domains, &rows, &targets, 7), importance(&domains, &rows, &targets, 7));
    }
}
