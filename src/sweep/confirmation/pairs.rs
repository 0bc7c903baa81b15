//! Paired tests between all configurations of a confirmation.

use std::collections::HashMap;

use crate::compare::statistics::{Test, holm};

/// Seed and fold of a trial.
pub(super) type Key = (i64, Option<usize>);

/// Returns the p of a paired permutation test for each pair of configurations, by their places, corrected for all pairs (Holm).
/// The best configuration is chosen by the same values, so the comparisons with it alone would be too few to correct for.
pub(super) fn corrected_p(values: &[&HashMap<Key, f64>]) -> HashMap<(usize, usize), f64> {
    let places = (0..values.len()).flat_map(|one| (one + 1..values.len()).map(move |other| (one, other)));
    let p_of = |(one, other): (usize, usize)| {
        let mut keys: Vec<&Key> = values[one].keys().filter(|key| values[other].contains_key(*key)).collect();
        keys.sort(); // a sum must not depend on the order of a hash map
        let differences: Vec<f64> = keys.iter().map(|key| values[other][*key] - values[one][*key]).collect();
        let p = Test::Permutation.p_paired(&differences).filter(|_| differences.len() > 1)?;
        Some(((one, other), p))
    };
    let (places, p): (Vec<(usize, usize)>, Vec<f64>) = places.filter_map(p_of).unzip();
    places.into_iter().zip(holm::correct(&p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(by: f64, seeds: i64) -> HashMap<Key, f64> {
        (0..seeds).map(|seed| ((seed, None), by + 0.01 * ((seed * 7) % 5) as f64)).collect()
    }

    #[test]
    fn p_values_are_corrected_for_all_pairs() {
        let [a, b, c] = [values(0.0, 10), values(0.5, 10), values(0.5, 10)];
        let p = corrected_p(&[&a, &b, &c]);
        // the smallest p of ten pairs is 2 / 1024; three pairs are compared
        assert!((p[&(0, 1)] - 3.0 * 2.0 / 1024.0).abs() < 1e-12, "{p:?}");
        assert!((p[&(0, 2)] - 3.0 * 2.0 / 1024.0).abs() < 1e-12, "{p:?}");
        assert_eq!(p[&(1, 2)], 1.0);
        assert_eq!(corrected_p(&[&a]).len(), 0);
        assert_eq!(corrected_p(&[&values(0.0, 1), &values(1.0, 1)]).len(), 0, "one pair cannot be tested");
    }
}
