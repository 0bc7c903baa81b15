//! Many comparisons at once: of twenty tests of no difference, one has p below 0.05 by luck.

/// Holm's correction (1979): p values as they count when so many were tested, in the same order. It bounds the chance
/// of calling any difference real that is not.
pub fn corrected(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut corrected = vec![1.0; p.len()];
    let mut highest: f64 = 0.0;
    for (before, &place) in order.iter().enumerate() {
        highest = highest.max((p[place] * (p.len() - before) as f64).min(1.0));
        corrected[place] = highest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_counts_for_all_and_the_order_is_kept() {
        let found = corrected(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert_eq!(corrected(&[]), Vec::<f64>::new());
    }
}
