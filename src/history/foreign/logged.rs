//! What a program logged by step, on rows of its own for each metric, gathered into epochs.
//!
//! A logger writes when there is something to write: the training loss after some batches, validation after an epoch,
//! the test at the end. An epoch's value is the last one logged in it. A row that names no epoch, as those of
//! Lightning's `LearningRateMonitor`, belongs to that of the next step that does. What is logged of the test rows after
//! training is taken of the weights of the last epoch, whatever number it has. A metric that is logged by step and by
//! epoch (`train_loss_step`, `train_loss_epoch`) is kept by epoch alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::foreign::names::{self, Part};
use crate::history::foreign::points::{Points, shift};

/// A value as it was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// The metric's name in its program.
    pub name: String,
    /// Which rows it is of, where the place of the file says so.
    pub part: Option<Part>,
    /// The epoch as it was written, where it was.
    pub epoch: Option<u64>,
    /// The step as it was written, where it was.
    pub step: Option<u64>,
    /// Seconds since the run's start, where they are known.
    pub seconds: Option<f64>,
    /// The value.
    pub value: f64,
}

impl Logged {
    fn is_of_test(&self) -> bool {
        names::ours(&self.name, self.part).starts_with(Part::Test.prefix())
    }
}

/// Gathers what was logged, in its order. Epochs are counted from 0 if 0 is among them, and so are steps then.
pub fn gather(mut logged: Vec<Logged>, points: &mut Points) {
    let by_epoch: BTreeSet<String> =
        logged.iter().filter_map(|value| Some(value.name.strip_suffix("_epoch")?.to_owned())).collect();
    logged.retain(|value| !value.name.strip_suffix("_step").is_some_and(|name| by_epoch.contains(name)));
    let of_steps: BTreeMap<u64, u64> =
        logged.iter().rev().filter_map(|value| Some((value.step?, value.epoch?))).collect();
    let shift = shift(logged.iter().filter_map(|value| value.epoch));
    let epoch_of = |value: &Logged| {
        let next = || Some(*of_steps.range(value.step?..).next().or(of_steps.last_key_value())?.1);
        value.epoch.or_else(next).and_then(|epoch| usize::try_from(epoch.checked_add(shift)?).ok())
    };
    let last = logged.iter().filter(|value| !value.is_of_test()).filter_map(epoch_of).max();
    for value in &logged {
        let Some(epoch) = epoch_of(value) else {
            points.leave_out(format!("`{}` is in no epoch", value.name));
            continue;
        };
        if value.is_of_test() {
            points.push(&value.name, value.part, epoch.min(last.unwrap_or(epoch)), value.value);
            continue;
        }
        points.push(&value.name, value.part, epoch, value.value);
        let moment = points.clock.entry(epoch).or_default();
        if value.epoch.is_some() {
            moment.step = moment.step.max(value.step.map(|step| step + shift));
        }
        moment.seconds = [moment.seconds, value.seconds].into_iter().flatten().reduce(f64::max);
    }
    points.clock.retain(|_, moment| moment.step.is_some() || moment.seconds.is_some());
    if let Some(first) = logged.iter().filter_map(epoch_of).min().filter(|&first| first > 1) {
        points.notes.push(format!("its first epoch is {first}"));
    }
}

/// A metric's epochs and values.
#[cfg(test)]
pub(super) fn values_for_tests(foreign: &super::Foreign, name: &str) -> Vec<(usize, f64)> {
    foreign.series[name].iter().map(|point| (point.epoch, point.value.0)).collect()
}
