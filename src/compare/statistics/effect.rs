//! Effect sizes.

use std::cmp::Ordering;

use crate::compare::statistics::moments::{mean, variance};

/// Returns Hedges' g: the difference of means in pooled standard deviations, corrected for small samples (Hedges 1981,
/// factor 1 − 3 / (4 (n + m) − 9)). `None` if a group has fewer than two values, or all values are equal.
pub fn hedges_g(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let pooled = ((n - 1.0) * variance(one) + (m - 1.0) * variance(other)) / (n + m - 2.0);
    let d = (mean(one) - mean(other)) / pooled.sqrt();
    (pooled > 0.0).then(|| d * (1.0 - 3.0 / (4.0 * (n + m) - 9.0)))
}

/// Returns the probability that a value of the first group is higher than one of the second; ties count half (Vargha
/// and Delaney's A). Range 0–1; 0.5 is no difference.
pub fn superiority(one: &[f64], other: &[f64]) -> Option<f64> {
    let win = |a: &f64, b: &f64| match a.partial_cmp(b) {
        Some(Ordering::Greater) => 1.0,
        Some(Ordering::Equal) => 0.5,
        Some(Ordering::Less) | None => 0.0,
    };
    let wins: f64 = one.iter().flat_map(|a| other.iter().map(move |b| win(a, b))).sum();
    (!one.is_empty() && !other.is_empty()).then(|| wins / (one.len() * other.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::statistics::student;

    #[test]
    fn where_nothing_varies_there_is_no_effect_size_whatever_the_mean_is_rounded_to() {
        let (one, other) = ([28.0 / 30.0; 3], [29.0 / 30.0; 3]);
        assert_eq!(hedges_g(&one, &other), None);
        assert_eq!(student::independent(&one, &other), Some(0.0));
        assert_eq!(superiority(&one, &other), Some(0.0));
    }
}
