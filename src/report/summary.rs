//! Summary section: of one variant its diagnosis, best epoch and metrics; of several variants their comparison.

use crate::compare::group::Group;
use crate::history::Status;
use crate::history::baseline::cautions;
use crate::report::markup::{Section, boxed};
use crate::report::{comparison, run};

/// Returns the section, starting with warnings about the metrics.
pub fn of(groups: &[Group]) -> Section {
    let mut parts = Vec::new();
    let leaks: Vec<String> = groups.iter().filter_map(|group| leak(group, groups.len() > 1)).collect();
    if !leaks.is_empty() {
        parts.push(boxed("bad", "These figures are too good", &leaks));
    }
    // With several groups, the comparison lists these among its cautions.
    let broken = if let [group] = groups { endings(group) } else { Vec::new() };
    if !broken.is_empty() {
        parts.push(boxed("", "Not every trial came to its end", &broken));
    }
    let constant: Vec<String> =
        groups.iter().flat_map(|group| no_better_than_constant(group, groups.len() > 1)).collect();
    if !constant.is_empty() {
        parts.push(boxed("", "No better than a constant prediction", &constant));
    }
    parts.push(match groups {
        [group] => run::html(group),
        groups => comparison::html(groups),
    });
    Section { id: "summary", title: "Summary", body: parts.join("\n") }
}

/// Returns the reason for a data leak.
fn leak(group: &Group, several: bool) -> Option<String> {
    let why = group.trials.iter().find_map(|trial| trial.history()?.data.resample.as_ref()?.leak.clone())?;
    Some(if several { format!("{}: {why}", group.label) } else { why })
}

/// Returns warnings about classifiers that never predict some class or are no better than the majority class.
fn no_better_than_constant(group: &Group, several: bool) -> Vec<String> {
    let histories: Vec<_> = group.trials.iter().filter_map(|trial| trial.history()).collect();
    let named = |caution: String| if several { format!("{}: {caution}", group.label) } else { caution };
    cautions(&histories).into_iter().map(named).collect()
}

/// Returns the number of trials that diverged or were interrupted.
fn endings(group: &Group) -> Vec<String> {
    let all = group.trials.len();
    let with = |status: Status| {
        group.trials.iter().filter(|trial| trial.history().is_some_and(|history| history.status == status)).count()
    };
    let told = |number: usize, what: &str| match (number, all) {
        (0, _) => None,
        (_, 1) => Some(format!("the trial {what}")),
        (number, all) => Some(format!("{number} of {all} trials {what}")),
    };
    let diverged = told(with(Status::Diverged), "diverged: the loss or the weights left the finite numbers");
    let interrupted = told(with(Status::Interrupted), "stopped from outside; shown is what was completed");
    diverged.into_iter().chain(interrupted).collect()
}
