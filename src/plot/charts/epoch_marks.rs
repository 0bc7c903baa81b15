//! Marked epochs of training curves: the best epoch, and the epoch in which overfitting starts.

use crate::compare::group::Group;
use crate::compare::trial::{Axis, Trial};
use crate::history::number::counted;

/// An epoch to mark, such as the best one, with the epoch of each trial.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochMark {
    /// The epochs of the trials, ascending.
    pub epochs: Vec<usize>,
    /// Their median; the mean of the two middle ones, rounded down, if their number is even.
    pub median: usize,
    /// Position of the median epoch on the axis, averaged over the trials.
    pub x: f64,
}

/// Returns the best epochs of a group's trials; `None` if there are none.
pub fn best_epoch(group: &Group, axis: Axis) -> Option<EpochMark> {
    epoch_mark(group, axis, |trial| trial.best().map(|best| best.epoch))
}

/// Returns the epochs in which the trials that overfit start to; `None` if none overfits.
pub fn overfitting_onset(group: &Group, axis: Axis) -> Option<EpochMark> {
    epoch_mark(group, axis, |trial| trial.diagnosis()?.overfits_from)
}

/// Returns the metric that defines the best epoch; `None` if the trials use different ones.
pub fn monitor(group: &Group) -> Option<&str> {
    let mut monitors = group.trials.iter().filter_map(|trial| Some(trial.best()?.monitor.as_str()));
    let first = monitors.next()?;
    monitors.all(|monitor| monitor == first).then_some(first)
}

fn epoch_mark(group: &Group, axis: Axis, epoch: impl Fn(&Trial) -> Option<usize>) -> Option<EpochMark> {
    let mut epochs: Vec<usize> = group.not_diverged().filter_map(epoch).collect();
    epochs.sort_unstable();
    let middle = (*epochs.get(epochs.len().checked_sub(1)? / 2)?, *epochs.get(epochs.len() / 2)?);
    let median = middle.0 + (middle.1 - middle.0) / 2;
    let places: Vec<f64> = group.not_diverged().filter_map(|trial| trial.at(median, axis)).collect();
    let x = places.iter().sum::<f64>() / places.len() as f64;
    x.is_finite().then_some(EpochMark { epochs, median, x })
}

impl EpochMark {
    /// Describes the epochs: `epoch 16`, or `epoch 16 (median of 5 seeds: 13 to 20)`.
    pub fn describe(&self, trial_noun: &str) -> String {
        let (first, last) = (self.epochs[0], self.epochs[self.epochs.len() - 1]);
        match first == last {
            true => format!("epoch {first}"),
            false => {
                format!(
                    "epoch {} (median of {}: {first} to {last})",
                    self.median,
                    counted(self.epochs.len(), trial_noun)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_epochs_are_told_by_their_median_and_range() {
        let mark = EpochMark { epochs: vec![13, 16, 20], median: 16, x: 16.0 };
        assert_eq!(mark.describe("seed"), "epoch 16 (median of 3 seeds: 13 to 20)");
        assert_eq!(EpochMark { epochs: vec![4, 4], median: 4, x: 4.0 }.describe("seed"), "epoch 4");
    }
}
