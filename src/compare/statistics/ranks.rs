//! Tests by ranks: Wilcoxon's signed ranks of pairs (`scipy.stats.wilcoxon`) and the rank sums of two groups
//! (Mann and Whitney 1947; `scipy.stats.mannwhitneyu`), two-sided.
//!
//! Exact where no values are tied and there are few, and of up to 13 pairs by going through all signs where some are tied
//! or 0; otherwise by the normal approximation, as SciPy does it by default.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::compare::statistics::permutation;

/// Up to so many pairs are counted out.
const PAIRS: usize = 50;
/// Up to so many, where some are tied or 0.
const TIED_PAIRS: usize = 13;
/// Where one group has no more than this, rank sums are counted out.
const TRIALS: usize = 8;

/// The p of pairs' differences, zeros left out; 1 where all are 0, `None` of none.
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
    if n <= PAIRS && ties == 0.0 && n == differences.len() {
        // how many subsets of the ranks have each sum
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
    if differences.len() <= TIED_PAIRS {
        let signed: Vec<f64> = moved.iter().zip(&ranks).map(|(d, rank)| rank.copysign(*d)).collect();
        return permutation::of_pairs(&signed);
    }
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
    approximately((plus.min(minus) - mean).abs(), variance)
}

/// The p of two groups of values having the same distribution; `None` where one is empty.
pub fn rank_sums(one: &[f64], other: &[f64]) -> Option<f64> {
    let (n, m) = (one.len(), other.len());
    if n == 0 || m == 0 {
        return None;
    }
    let all: Vec<f64> = one.iter().chain(other).copied().collect();
    let (ranks, ties) = ranks(&all);
    let u = ranks[..n].iter().sum::<f64>() - (n * (n + 1)) as f64 / 2.0;
    let larger = u.max((n * m) as f64 - u);
    if ties == 0.0 && n.min(m) <= TRIALS {
        let counts = counts_of_u(n, m);
        let at_least: f64 = counts[larger as usize..].iter().sum();
        return Some((2.0 * at_least / counts.iter().sum::<f64>()).min(1.0));
    }
    let (n, m) = (n as f64, m as f64);
    let total = n + m;
    let variance = n * m / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    approximately((larger - n * m / 2.0 - 0.5).max(0.0), variance)
}

/// In how many arrangements of n and m values the rank sum exceeds its minimum by each u.
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

/// The ranks from 1, tied values sharing their mean rank; and the sum of t³ − t over ties of t.
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

/// The two-sided p of lying so far from the mean; 1 where nothing varies.
fn approximately(distance: f64, variance: f64) -> Option<f64> {
    if variance <= 0.0 {
        return Some(1.0);
    }
    let normal = Normal::new(0.0, 1.0).ok()?;
    Some((2.0 * normal.cdf(-distance / variance.sqrt())).min(1.0))
}
