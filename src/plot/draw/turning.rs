//! Turning points of training: the best epoch, and the epoch in which overfitting starts.

use crate::compare::group::Group;
use crate::compare::trial::{Axis, Trial};
use crate::plot::charts::metric_names::count;

/// A turning point of several trials, each with its own epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Turning {
    /// The epochs of the trials, ascending.
    pub epochs: Vec<usize>,
    /// Their median; the mean of the two middle ones, rounded down, if their number is even.
    pub median: usize,
    /// Position of the median epoch on the axis, averaged over the trials.
    pub x: f64,
}

/// Returns the best epochs of a group's trials; `None` if there are none.
pub fn best(group: &Group, axis: Axis) -> Option<Turning> {
    turning(group, axis, |trial| trial.best().map(|best| best.epoch))
}

/// Returns the epochs in which the trials that overfit start to; `None` if none overfits.
pub fn onset(group: &Group, axis: Axis) -> Option<Turning> {
    turning(group, axis, |trial| trial.diagnosis()?.overfits_from)
}

/// Returns the metric that defines the best epoch; `None` if the trials use different ones.
pub fn monitor(group: &Group) -> Option<&str> {
    let mut monitors = group.trials.iter().filter_map(|trial| Some(trial.best()?.monitor.as_str()));
    let first = monitors.next()?;
    monitors.all(|monitor| monitor == first).then_some(first)
}

fn turning(group: &Group, axis: Axis, epoch: impl Fn(&Trial) -> Option<usize>) -> Option<Turning> {
    let mut epochs: Vec<usize> = group.sound().filter_map(epoch).collect();
    epochs.sort_unstable();
    let middle = (*epochs.get(epochs.len().checked_sub(1)? / 2)?, *epochs.get(epochs.len() / 2)?);
    let median = middle.0 + (middle.1 - middle.0) / 2;
    let places: Vec<f64> = group.sound().filter_map(|trial| trial.at(median, axis)).collect();
    let x = places.iter().sum::<f64>() / places.len() as f64;
    x.is_finite().then_some(Turning { epochs, median, x })
}

impl Turning {
    /// Returns the epochs in words: `epoch 16`, or `epoch 16 (median of 5 seeds: 13 to 20)`.
    pub fn words(&self, thing: &str) -> String {
        let (first, last) = (self.epochs[0], self.epochs[self.epochs.len() - 1]);
        match first == last {
            true => format!("epoch {first}"),
            false => {
                format!("epoch {} (median of {}: {first} to {last})", self.median, count(self.epochs.len(), thing))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_epochs_are_told_by_their_median_and_range() {
        let turning = Turning { epochs: vec![13, 16, 20], median: 16, x: 16.0 };
        assert_eq!(turning.words("seed"), "epoch 16 (median of 3 seeds: 13 to 20)");
        assert_eq!(Turning { epochs: vec![4, 4], median: 4, x: 4.0 }.words("seed"), "epoch 4");
    }
}
