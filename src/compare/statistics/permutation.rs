//! Permutation tests of a difference of means: the share of permutations with a difference at least as large.
//!
//! For pairs, the signs of the differences are permuted (`scipy.stats.permutation_test`,
//! `permutation_type="samples"`); for two groups, the group of each trial (`"independent"`). Up to 200,000
//! permutations are enumerated. Beyond that, 200,000 are drawn at random and the observed one is added (Phipson and
//! Smyth 2010). The p is two-sided: twice the smaller tail.

use crate::compare::statistics::moments::mean;
use crate::data::split::numpy_random::RandomState;

/// Maximum number of enumerated permutations; the number of random ones beyond it.
const MAX_PERMUTATIONS: usize = 200_000;

/// Relative tolerance (of the largest value) within which two differences of means are equal: sums in another order
/// round differently.
const TOLERANCE: f64 = 1e-13;

/// Returns the p of paired differences; 1 if all are 0, `None` if there are none.
pub fn paired(differences: &[f64]) -> Option<f64> {
    let n = differences.len();
    let observed = (!differences.is_empty()).then(|| mean(differences))?;
    let mut tails = Tails::new(observed, differences);
    if n < 64 && (1_u64 << n) <= MAX_PERMUTATIONS as u64 {
        for signs in 0..1_u64 << n {
            let sum: f64 =
                differences.iter().enumerate().map(|(place, d)| if signs >> place & 1 == 0 { *d } else { -d }).sum();
            tails.add(sum / n as f64);
        }
        return Some(tails.p(0));
    }
    let mut random = RandomState::new(0);
    for _ in 0..MAX_PERMUTATIONS {
        let signs = random.integers(2, n);
        let sum: f64 = differences.iter().zip(signs).map(|(d, sign)| if sign == 0 { *d } else { -d }).sum();
        tails.add(sum / n as f64);
    }
    Some(tails.p(1))
}

/// Returns the p of two groups having the same mean; `None` if one is empty.
pub fn independent(one: &[f64], other: &[f64]) -> Option<f64> {
    let (n, m) = (one.len(), other.len());
    if n == 0 || m == 0 {
        return None;
    }
    let all: Vec<f64> = one.iter().chain(other).copied().collect();
    let mut tails = Tails::new(mean(one) - mean(other), &all);
    let total: f64 = all.iter().sum();
    let difference = |sum: f64| sum / n as f64 - (total - sum) / m as f64;
    if binomial(n + m, n) <= MAX_PERMUTATIONS as f64 {
        let mut chosen: Vec<usize> = (0..n).collect();
        loop {
            tails.add(difference(chosen.iter().map(|&place| all[place]).sum()));
            if !next_combination(&mut chosen, n + m) {
                return Some(tails.p(0));
            }
        }
    }
    let mut random = RandomState::new(0);
    for _ in 0..MAX_PERMUTATIONS {
        let order = random.permutation(n + m);
        tails.add(difference(order[..n].iter().map(|&place| all[place]).sum()));
    }
    Some(tails.p(1))
}

/// Returns the binomial coefficient n over k.
pub fn binomial(n: usize, k: usize) -> f64 {
    (0..k.min(n - k)).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// Advances to the next combination of indices below `n` in lexicographic order; returns whether there is one.
fn next_combination(chosen: &mut [usize], n: usize) -> bool {
    let k = chosen.len();
    let Some(place) = (0..k).rev().find(|&place| chosen[place] < n - k + place) else { return false };
    chosen[place] += 1;
    for later in place + 1..k {
        chosen[later] = chosen[later - 1] + 1;
    }
    true
}

/// Counts of differences at or beyond the observed one, in each tail.
struct Tails {
    observed: f64,
    tolerance: f64,
    all: usize,
    at_least: usize,
    at_most: usize,
}

impl Tails {
    fn new(observed: f64, values: &[f64]) -> Tails {
        let largest = values.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        Tails { observed, tolerance: TOLERANCE * largest, all: 0, at_least: 0, at_most: 0 }
    }

    fn add(&mut self, difference: f64) {
        self.all += 1;
        self.at_least += usize::from(difference >= self.observed - self.tolerance);
        self.at_most += usize::from(difference <= self.observed + self.tolerance);
    }

    /// Returns the p; `extra` is 1 if the observed permutation is added to random ones.
    fn p(&self, extra: usize) -> f64 {
        let smaller = self.at_least.min(self.at_most) + extra;
        (2.0 * smaller as f64 / (self.all + extra) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_pairs_on_one_side_are_a_thirty_second_on_either() {
        assert_eq!(paired(&[0.1, 0.2, 0.3, 0.4, 0.5]), Some(0.0625));
        assert_eq!(paired(&[0.0; 4]), Some(1.0));
        assert_eq!(paired(&[]), None);
    }

    #[test]
    fn groups_apart_are_one_of_all_choices_on_either_side() {
        assert_eq!(independent(&[1.0, 2.0, 3.0], &[7.0, 8.0, 9.0]), Some(2.0 / 20.0));
        assert_eq!(independent(&[1.0], &[]), None);
    }

    #[test]
    fn drawn_permutations_come_near_to_all_of_them() {
        let differences: Vec<f64> = (0..17).map(|i| (i as f64 * 2.4).sin() + 0.3).collect();
        let exact = paired(&differences).unwrap(); // 131,072 of them
        let more: Vec<f64> = differences.iter().copied().chain([0.0, 0.0]).collect(); // zeros change nothing, but the count
        let drawn = paired(&more).unwrap();
        assert!((exact - drawn).abs() < 0.01, "{exact} {drawn}");
    }

    #[test]
    fn every_choice_comes_once() {
        let mut chosen = vec![0, 1, 2];
        let mut count = 1;
        while next_combination(&mut chosen, 7) {
            count += 1;
        }
        assert_eq!((count, binomial(7, 3)), (35, 35.0));
    }
}
