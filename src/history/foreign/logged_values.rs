//! Values logged by step, collected into epochs.
//!
//! Loggers write the training loss after some batches, validation metrics after an epoch and test metrics at the end. The
//! value of an epoch is the last one logged in it. A row without an epoch, as from Lightning's `LearningRateMonitor`,
//! belongs to the epoch of the next step that has one. Test metrics after training belong to the last epoch. If a metric is
//! logged by step and by epoch (`train_loss_step`, `train_loss_epoch`), only the latter is used.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::history::foreign::epochs::{self, Counting, Numbering, Row};
use crate::history::foreign::names::{self, Part};
use crate::history::foreign::points::Points;

/// A logged value.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedValue {
    /// Name of the metric in its program.
    pub name: Rc<str>,
    /// The part of the data, if the path of the file tells it.
    pub part: Option<Part>,
    /// The epoch as written: from 0 or 1, or a fraction.
    pub epoch: Option<f64>,
    /// The step as written.
    pub step: Option<u64>,
    /// Seconds since the start of the run, if known.
    pub seconds: Option<f64>,
    /// The value.
    pub value: f64,
}

impl LoggedValue {
    /// Returns whether it is a test metric.
    pub fn is_of_test(&self) -> bool {
        names::standard(&self.name, self.part).starts_with(Part::Test.prefix())
    }
}

/// The values of one row of a log.
#[derive(Clone, Debug, Default)]
pub struct LoggedRow {
    /// Number of its line in the file, or of its entry in the list, from 1.
    pub number: usize,
    /// Its epoch, as written.
    pub epoch: Option<f64>,
    /// The values.
    pub values: Vec<LoggedValue>,
}

impl LoggedRow {
    /// Returns how the row is assigned to an epoch.
    fn order(&self) -> Row {
        match self.epoch {
            None => Row::BeforeNext,
            Some(_) if !self.values.is_empty() && self.values.iter().all(LoggedValue::is_of_test) => Row::AfterAll,
            Some(epoch) => Row::Epoch(epoch),
        }
    }
}

/// Collects the rows of the last run in a log into epochs. `called` is the word for a row in notes: `line`.
pub fn collect_rows(rows: Vec<LoggedRow>, called: &str, counting: Counting, points: &mut Points) {
    let order: Vec<Row> = rows.iter().map(LoggedRow::order).collect();
    let (kept, note) = epochs::select_last_run(&order, |row| format!("{called} {}", rows[row].number));
    points.notes.extend(note);
    let kept = rows.into_iter().zip(kept).filter(|(_, is_kept)| *is_kept);
    collect(kept.flat_map(|(row, _)| row.values).collect(), counting, points);
}

/// Collects logged values, in their order, into epochs.
pub fn collect(mut logged: Vec<LoggedValue>, counting: Counting, points: &mut Points) {
    let by_epoch: BTreeSet<String> =
        logged.iter().filter_map(|value| Some(value.name.strip_suffix("_epoch")?.to_owned())).collect();
    logged.retain(|value| !value.name.strip_suffix("_step").is_some_and(|name| by_epoch.contains(name)));
    let of_steps: BTreeMap<u64, f64> =
        logged.iter().rev().filter_map(|value| Some((value.step?, value.epoch?))).collect();
    let numbering = Numbering::detect(logged.iter().filter_map(|value| value.epoch), counting);
    let epoch_of = |value: &LoggedValue| {
        let next = || Some(*of_steps.range(value.step?..).next().or(of_steps.last_key_value())?.1);
        numbering.epoch(value.epoch.or_else(next)?)
    };
    let last = logged.iter().filter(|value| !value.is_of_test()).filter_map(epoch_of).max();
    let mut before_training = BTreeSet::new();
    for value in &logged {
        let Some(epoch) = epoch_of(value) else {
            if value.epoch.is_some() {
                before_training.insert(names::standard(&value.name, value.part));
            } else {
                points.skip(format!("`{}` has no epoch", value.name));
            }
            continue;
        };
        if value.is_of_test() {
            points.push(&value.name, value.part, epoch.min(last.unwrap_or(epoch)), value.value);
            continue;
        }
        points.push(&value.name, value.part, epoch, value.value);
        let moment = points.clock.entry(epoch).or_default();
        if value.epoch.is_some() {
            let step = value.step.and_then(|step| step.checked_add(numbering.step_offset()));
            moment.step = moment.step.max(step);
        }
        moment.seconds = [moment.seconds, value.seconds].into_iter().flatten().reduce(f64::max);
    }
    points.clock.retain(|_, moment| moment.step.is_some() || moment.seconds.is_some());
    for name in before_training {
        points.skip(format!("`{name}` in epoch 0, before training"));
    }
    if numbering == Numbering::Fractions {
        points.ignore_repeats();
    }
    points.notes.extend(numbering.notes(logged.iter().filter_map(|value| value.epoch), counting));
}

/// Returns the epochs and values of a metric.
#[cfg(test)]
pub(crate) fn values_for_tests(foreign: &super::foreign_history::Foreign, name: &str) -> Vec<(usize, f64)> {
    foreign.series[name].iter().map(|point| (point.epoch, point.value.0)).collect()
}
