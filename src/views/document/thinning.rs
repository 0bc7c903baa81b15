//! Reduces the number of points to what a page can show; a line on a screen has a few hundred pixels.
//!
//! A page holds up to about 90,000 values of curves, and 24,000 points of ROC and precision–recall curves. Beyond that,
//! only every n-th epoch is kept, with the first, the best, the one where overfitting starts, and the last.

use std::collections::BTreeSet;

use crate::compare::group::Group;
use crate::compare::trial::Trial;

const MAX_VALUES: usize = 90_000;
const MAX_POINTS: usize = 24_000;
const MIN_POINTS: usize = 40;

/// Returns n, where every n-th epoch is kept.
pub fn epoch_step(groups: &[Group]) -> usize {
    let values = |trial: &Trial| trial.recorded_epochs().len() * trial.metrics().len();
    groups.iter().flat_map(|group| &group.trials).map(values).sum::<usize>().div_ceil(MAX_VALUES).max(1)
}

/// Returns the epochs of a trial that are kept.
pub fn epochs(trial: &Trial, all: &BTreeSet<usize>, every: usize) -> Vec<usize> {
    let best = trial.best().map(|best| best.epoch);
    let onset = trial.diagnosis().and_then(|diagnosis| diagnosis.overfits_from);
    let last = all.last().copied();
    let is_kept = |row: usize, epoch: usize| row.is_multiple_of(every) || [best, onset, last].contains(&Some(epoch));
    all.iter().enumerate().filter(|(row, epoch)| is_kept(*row, **epoch)).map(|(_, epoch)| *epoch).collect()
}

/// Returns the maximum number of points for each of this many curves.
pub fn points_of_each(curves: usize) -> usize {
    (MAX_POINTS / curves.max(1)).max(MIN_POINTS)
}

/// Returns evenly spaced indices of the points to keep, including both ends.
pub fn places(points: usize, most: usize) -> Vec<usize> {
    if points <= most || most < 2 {
        return (0..points).collect();
    }
    (0..most).map(|place| place * (points - 1) / (most - 1)).collect()
}

/// Rounds a value to seven significant digits, about the precision of f32.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_kept_and_few_points_are_all_kept() {
        assert_eq!(places(3, 5), [0, 1, 2]);
        let kept = places(1000, 40);
        assert_eq!((kept.len(), kept[0], kept[39]), (40, 0, 999));
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn seven_digits_are_kept() {
        assert_eq!(rounded(0.123_456_789), 0.123_456_8);
        assert_eq!(rounded(123_456_789.0), 123_456_800.0);
        assert!(rounded(f64::NAN).is_nan());
    }
}
