//! Smoothing, noise and jitter of a series of losses, one value per epoch.
//!
//! Noise is measured at local minima and maxima: a smooth curve has one or two of them, a noisy curve has them in two of
//! three epochs. A steep trend does not count as noise.

/// Shorter series are not smoothed, and their jitter is not computed.
pub(super) const SHORT: usize = 5;

/// Mean of |x − mean of both neighbors| over independent normal noise of standard deviation 1, where values that are not
/// local extrema count as 0.
const OF_UNIT_NOISE: f64 = 0.846;

/// Returns the window size of the moving median: an odd number, about an eighth of the series.
pub(super) fn window(length: usize) -> usize {
    if length < SHORT { 1 } else { ((length / 8) | 1).clamp(3, 15) }
}

/// Returns the moving median. At both ends, the window is cut off.
pub(super) fn smoothed(values: &[f64]) -> Vec<f64> {
    let half = window(values.len()) / 2;
    let around = |place: usize| &values[place.saturating_sub(half)..values.len().min(place + half + 1)];
    (0..values.len()).map(|place| median(around(place))).collect()
}

/// Returns the median.
///
/// # Panics
/// If there is no value.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Returns the index and value of the minimum.
pub(super) fn lowest(values: &[f64]) -> Option<(usize, f64)> {
    values.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Returns the standard deviation of the noise. It ignores the first quarter of a long series, where losses fall steeply,
/// and the largest extremum, which is the turning point of a curve without noise.
pub(super) fn noise(values: &[f64]) -> f64 {
    let later = if values.len() >= 12 { &values[values.len() / 4..] } else { values };
    let mut extrema = extrema(later);
    extrema.sort_by(f64::total_cmp);
    extrema.pop();
    mean(&extrema).unwrap_or(0.0) / OF_UNIT_NOISE
}

/// Returns the standard error of a smoothed value: that of the median of a window.
pub(super) fn noise_of_smoothed(values: &[f64]) -> f64 {
    1.25 * noise(values) / (window(values.len()) as f64).sqrt()
}

/// Returns the mean fluctuation from one epoch to the next over the second half, relative to the mean there or to `least`,
/// whichever is larger. `None` for short series.
pub(super) fn jitter(values: &[f64], least: f64) -> Option<f64> {
    let later = &values[values.len() / 2..];
    let level = mean(later)?.max(least);
    let jumps = mean(&extrema(later)).filter(|_| values.len() >= SHORT)?;
    (level > 0.0).then_some(jumps / level)
}

/// Returns for each inner value its distance from the mean of both neighbors if it is a local extremum, otherwise 0.
fn extrema(values: &[f64]) -> Vec<f64> {
    let of = |window: &[f64]| {
        let [before, value, after] = [window[0], window[1], window[2]];
        let is_extremum = (value > before && value > after) || (value < before && value < after);
        if is_extremum { (value - f64::midpoint(before, after)).abs() } else { 0.0 }
    };
    values.windows(3).map(of).collect()
}

/// Returns the mean, or `None` without values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moving_median_is_that_of_scipy_inside_and_shorter_at_the_ends() {
        // scipy.signal.medfilt([5, 1, 4, 2, 9, 3], 3) is [1, 4, 2, 4, 3, 3]; its ends are padded with 0
        assert_eq!(smoothed(&[5.0, 1.0, 4.0, 2.0, 9.0, 3.0]), [3.0, 4.0, 2.0, 4.0, 3.0, 6.0]);
        assert_eq!(smoothed(&[2.0, 1.0, 3.0]), [2.0, 1.0, 3.0], "a short series is not smoothed");
    }

    #[test]
    fn a_steep_smooth_curve_and_its_turning_point_have_no_noise() {
        let falls: Vec<f64> = (0..40).map(|epoch| (-f64::from(epoch) / 3.0).exp()).collect();
        assert_eq!((noise(&falls), jitter(&falls, 0.1)), (0.0, Some(0.0)));
        assert_eq!(noise(&[0.8, 0.5, 0.4, 0.45, 0.5, 0.6]), 0.0);
    }

    /// Returns values with mean 0 and standard deviation 1: sums of twelve uniform values.
    fn normal(count: usize) -> Vec<f64> {
        let mut state: u64 = 1;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..count).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
    }

    #[test]
    fn noise_is_estimated_with_and_without_a_trend() {
        let flat: Vec<f64> = normal(3000).iter().map(|value| 1.0 + 0.05 * value).collect();
        let rising: Vec<f64> = flat.iter().enumerate().map(|(epoch, value)| value + 0.005 * epoch as f64).collect();
        for values in [&flat, &rising] {
            assert!((noise(values) / 0.05 - 1.0).abs() < 0.05, "{}", noise(values));
        }
        assert!((jitter(&flat, 0.2).unwrap() / 0.05 - OF_UNIT_NOISE).abs() < 0.05);
    }

    #[test]
    fn the_jitter_of_a_tiny_loss_is_relative_to_the_least_level() {
        let flicker: Vec<f64> = (0..20).map(|epoch| 0.001 + 0.0005 * f64::from(epoch % 2)).collect();
        assert!(jitter(&flicker, 0.0).unwrap() > 0.3 && jitter(&flicker, 0.1).unwrap() < 0.01);
        assert_eq!(jitter(&[1.0, 2.0, 1.0, 2.0], 0.1), None);
    }
}
