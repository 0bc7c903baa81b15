//! What a program logged by step, on rows of its own for each metric, gathered into epochs.
//!
//! A logger writes when there is something to write: the training loss after some batches, validation after an epoch,
//! the test at the end. An epoch's value is the last one logged in it. A row that names no epoch, as those of
//! Lightning's `LearningRateMonitor`, belongs to that of the next step that does. What is logged of the test rows after
//! training is taken of the weights of the last epoch, whatever number it has. A metric that is logged by step and by
//! epoch (`train_loss_step`, `train_loss_epoch`) is kept by epoch alone.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::history::foreign::epochs::{self, Counting, Numbering, Row};
use crate::history::foreign::names::{self, Part};
use crate::history::foreign::points::Points;

/// A value as it was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// The metric's name in its program.
    pub name: Rc<str>,
    /// Which rows of the data it is of, where the place of the file says so.
    pub part: Option<Part>,
    /// The epoch as it was written, where it was: from 0 or 1, or a fraction of the training.
    pub epoch: Option<f64>,
    /// The step as it was written, where it was.
    pub step: Option<u64>,
    /// Seconds since the run's start, where they are known.
    pub seconds: Option<f64>,
    /// The value.
    pub value: f64,
}

impl Logged {
    /// Whether it is of the test rows.
    pub fn is_of_test(&self) -> bool {
        names::ours(&self.name, self.part).starts_with(Part::Test.prefix())
    }
}

/// The values of one row of a log.
#[derive(Clone, Debug, Default)]
pub struct LoggedRow {
    /// Its number in the file: that of its line, or of its entry in a list, from 1.
    pub number: usize,
    /// Its epoch, as it is written.
    pub epoch: Option<f64>,
    /// Its values.
    pub values: Vec<Logged>,
}

impl LoggedRow {
    fn order(&self) -> Row {
        match self.epoch {
            None => Row::BeforeNext,
            Some(_) if !self.values.is_empty() && self.values.iter().all(Logged::is_of_test) => Row::AfterAll,
            Some(epoch) => Row::Epoch(epoch),
        }
    }
}

/// Gathers the rows of a log in their order: those of its last run. Notes call a row `line 8`, or whatever a row is called.
pub fn gather_rows(rows: Vec<LoggedRow>, called: &str, counting: Counting, points: &mut Points) {
    let order: Vec<Row> = rows.iter().map(LoggedRow::order).collect();
    let (kept, note) = epochs::last_run(&order, |row| format!("{called} {}", rows[row].number));
    points.notes.extend(note);
    let kept = rows.into_iter().zip(kept).filter(|(_, is_kept)| *is_kept);
    gather(kept.flat_map(|(row, _)| row.values).collect(), counting, points);
}

/// Gathers what was logged, in its order.
pub fn gather(mut logged: Vec<Logged>, counting: Counting, points: &mut Points) {
    let by_epoch: BTreeSet<String> =
        logged.iter().filter_map(|value| Some(value.name.strip_suffix("_epoch")?.to_owned())).collect();
    logged.retain(|value| !value.name.strip_suffix("_step").is_some_and(|name| by_epoch.contains(name)));
    let of_steps: BTreeMap<u64, f64> =
        logged.iter().rev().filter_map(|value| Some((value.step?, value.epoch?))).collect();
    let numbering = Numbering::of(logged.iter().filter_map(|value| value.epoch), counting);
    let epoch_of = |value: &Logged| {
        let next = || Some(*of_steps.range(value.step?..).next().or(of_steps.last_key_value())?.1);
        numbering.epoch(value.epoch.or_else(next)?)
    };
    let last = logged.iter().filter(|value| !value.is_of_test()).filter_map(epoch_of).max();
    let mut before_training = BTreeSet::new();
    for value in &logged {
        let Some(epoch) = epoch_of(value) else {
            if value.epoch.is_some() {
                before_training.insert(names::ours(&value.name, value.part));
            } else {
                points.leave_out(format!("`{}` is in no epoch", value.name));
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
            let step = value.step.and_then(|step| step.checked_add(numbering.shift_of_steps()));
            moment.step = moment.step.max(step);
        }
        moment.seconds = [moment.seconds, value.seconds].into_iter().flatten().reduce(f64::max);
    }
    points.clock.retain(|_, moment| moment.step.is_some() || moment.seconds.is_some());
    for name in before_training {
        points.leave_out(format!("`{name}` in epoch 0, before training"));
    }
    if numbering == Numbering::Fractions {
        points.expect_several_in_an_epoch();
    }
    points.notes.extend(numbering.notes(logged.iter().filter_map(|value| value.epoch), counting));
}

/// A metric's epochs and values.
#[cfg(test)]
pub(crate) fn values_for_tests(foreign: &super::foreign_history::Foreign, name: &str) -> Vec<(usize, f64)> {
    foreign.series[name].iter().map(|point| (point.epoch, point.value.0)).collect()
}
