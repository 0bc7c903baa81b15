//! Rank tests, two-sided: Wilcoxon signed-rank test of pairs (`scipy.stats.wilcoxon`) and Mann–Whitney rank-sum test
//! of two groups (1947; `scipy.stats.mannwhitneyu`).
//!
//! Exact for few values without ties, and for up to 13 pairs with ties or zeros by enumerating all signs; otherwise by
//! the normal approximation, as in SciPy's defaults.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::compare::statistics::permutation;

/// Maximum number of pairs for the exact distribution.
const MAX_EXACT_PAIRS: usize = 50;
/// Maximum number of pairs for enumeration, if some are tied or 0.
const MAX_TIED_PAIRS: usize = 13;
/// Maximum size of the smaller group for the exact distribution of rank sums.
const MAX_EXACT_GROUP: usize = 8;

/// Returns the p of paired differences without zeros; 1 if all are 0, `None` if there are none.
pub fn signed_ranks(differences: &[f64]) -> Option<f64> {
    let moved: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    if differences.is_empty() {
        return None;
    }
    let n = moved.len();
    if n == 0 {
        return Some(1.0);
    }
    let sizes: Vec<f64> = moved.iter().map(|difference| difference.abs()).collect();
    let (ranks, ties) = ranks(&sizes);
    let sum = |positive: bool| -> f64 {
        moved.iter().zip(&ranks).filter(|(d, _)| (**d > 0.0) == positive).map(|(_, rank)| rank).sum()
    };
    let (plus, minus) = (sum(true), sum(false));
    if n <= MAX_EXACT_PAIRS && ties == 0.0 && n == differences.len() {
        // number of subsets of the ranks with each sum
        let mut counts = vec![0.0_f64; n * (n + 1) / 2 + 1];
        counts[0] = 1.0;
        for rank in 1..=n {
            for total in (rank..counts.len()).rev() {
                counts[total] += counts[total - rank];
            }
        }
        let at_most: f64 = counts[..=plus.min(minus) as usize].iter().sum();
        return Some((2.0 * at_most / 2.0_f64.powi(n as i32)).min(1.0));
    }
    if differences.len() <= MAX_TIED_PAIRS {
        let signed: Vec<f64> = moved.iter().zip(&ranks).map(|(d, rank)| rank.copysign(*d)).collect();
        return permutation::paired(&signed);
    }
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
    normal_approximation((plus.min(minus) - mean).abs(), variance)
}

/// Returns the p of two groups having the same distribution; `None` if one is empty.
pub fn rank_sums(one: &[f64], other: &[f64]) -> Option<f64> {
    let (n, m) = (one.len(), other.len());
    if n == 0 || m == 0 {
        return None;
    }
    let all: Vec<f64> = one.iter().chain(other).copied().collect();
    let (ranks, ties) = ranks(&all);
    let u = ranks[..n].iter().sum::<f64>() - (n * (n + 1)) as f64 / 2.0;
    let larger = u.max((n * m) as f64 - u);
    if ties == 0.0 && n.min(m) <= MAX_EXACT_GROUP {
        let counts = counts_of_u(n, m);
        let at_least: f64 = counts[larger as usize..].iter().sum();
        return Some((2.0 * at_least / counts.iter().sum::<f64>()).min(1.0));
    }
    let (n, m) = (n as f64, m as f64);
    let total = n + m;
    let variance = n * m / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    normal_approximation((larger - n * m / 2.0 - 0.5).max(0.0), variance)
}

/// Returns the number of arrangements of n and m values with each value of the U statistic.
fn counts_of_u(n: usize, m: usize) -> Vec<f64> {
    // products of (1 − x^(m+i)) / (1 − x^i): the Gaussian binomial
    let mut counts = vec![0.0; n * m + 1];
    counts[0] = 1.0;
    for i in 1..=n {
        for u in (m + i..counts.len()).rev() {
            counts[u] -= counts[u - m - i];
        }
        for u in i..counts.len() {
            counts[u] += counts[u - i];
        }
    }
    counts
}

/// Returns the ranks from 1, with tied values sharing their mean rank, and the sum of t³ − t over ties of size t.
fn ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut ranks, mut ties) = (vec![0.0; values.len()], 0.0);
    let mut from = 0;
    for same in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let size = same.len();
        let rank = from as f64 + (size as f64 + 1.0) / 2.0;
        same.iter().for_each(|&place| ranks[place] = rank);
        ties += (size * size * size - size) as f64;
        from += size;
    }
    (ranks, ties)
}

/// Returns the two-sided p of this distance from the mean; 1 if the variance is 0.
fn normal_approximation(distance: f64, variance: f64) -> Option<f64> {
    if variance <= 0.0 {
        return Some(1.0);
    }
    let normal = Normal::new(0.0, 1.0).ok()?;
    Some((2.0 * normal.cdf(-distance / variance.sqrt())).min(1.0))
}
