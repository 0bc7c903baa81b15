//! Expected best of n configurations: what a smaller search would have found.

/// Maximum number of points of the curve.
const MOST_POINTS: usize = 200;

/// Returns, for n = 1, 2, … up to the number of values, the mean of the best of n of them over all subsets of size n. It is an
/// unbiased estimate for n further independent configurations; drawing with replacement would be biased (Tang et al. 2020).
/// With many values not every n has a point.
pub fn expected_best(values: &[f64], higher_is_better: bool) -> Vec<(usize, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| if higher_is_better { b.total_cmp(a) } else { a.total_cmp(b) });
    let all = sorted.len();
    let step = all.div_ceil(MOST_POINTS).max(1);
    let sizes = (1..=all).filter(|size| *size == 1 || size.is_multiple_of(step) || *size == all);
    sizes.map(|size| (size, mean_of_best(&sorted, size))).collect()
}

/// Returns the mean of the first value of each subset of this size; the values are sorted.
fn mean_of_best(sorted: &[f64], size: usize) -> f64 {
    let all = sorted.len();
    // share of the subsets whose first value is at a place: all others are behind it
    let mut share = size as f64 / all as f64;
    let mut mean = 0.0;
    for (place, value) in sorted.iter().enumerate().take(all - size + 1) {
        mean += share * value;
        let behind = (all - 1 - place) as f64;
        if behind > 0.0 {
            share *= (behind - (size - 1) as f64) / behind;
        }
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the same from all subsets.
    fn by_enumeration(values: &[f64], size: usize) -> f64 {
        let subsets = (0_u32..1 << values.len()).filter(|set| set.count_ones() as usize == size);
        let best = |set: u32| {
            let members = (0..values.len()).filter(|place| set & (1 << place) != 0);
            members.map(|place| values[place]).fold(f64::INFINITY, f64::min)
        };
        let bests: Vec<f64> = subsets.map(best).collect();
        bests.iter().sum::<f64>() / bests.len() as f64
    }

    #[test]
    fn it_is_the_mean_over_all_subsets() {
        let values = [0.7, 0.2, 0.9, 0.4, 0.4, 0.11];
        let found = expected_best(&values, false);
        assert_eq!(found.len(), 6);
        for (size, mean) in found {
            assert!((mean - by_enumeration(&values, size)).abs() < 1e-12, "{size}: {mean}");
        }
        let higher = expected_best(&values.map(|value| -value), true);
        assert!((higher[2].1 + by_enumeration(&values, 3)).abs() < 1e-12);
        assert_eq!(higher[5].1, -0.11);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let found = expected_best(&values, false);
        assert!(found.len() <= MOST_POINTS + 2, "{}", found.len());
        assert_eq!((found[0], found[found.len() - 1]), ((1, 499.5), (1000, 0.0)));
        // of n numbers from 0 to N - 1, the smallest is expected at (N + 1) / (n + 1) - 1
        let is_exact = |(size, mean): &(usize, f64)| (mean - (1001.0 / (*size as f64 + 1.0) - 1.0)).abs() < 1e-9;
        assert!(found.iter().all(is_exact));
        assert!(expected_best(&[], true).is_empty());
    }
}
