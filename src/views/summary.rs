//! Summary section: warnings, then of one variant its diagnosis, best epoch and metrics; of several variants their
//! comparison.

use crate::compare::find::Found;
use crate::compare::group::Group;
use crate::config::hint::in_a_line;
use crate::history::baseline::cautions;
use crate::views::document::block::{Block, Section, callout};
use crate::views::variants::trial_status;
use crate::views::{comparison, variant};

/// Returns the section. Of several groups, `baseline` is the label of the one that the others are compared with.
pub fn section(groups: &[Group], baseline: Option<&str>) -> Section {
    let mut blocks = warnings(groups);
    match groups {
        [group] => blocks.extend(variant::blocks(group)),
        groups => blocks.extend(comparison::blocks(groups, baseline)),
    }
    Section { id: "summary", title: "Summary", blocks }
}

/// Returns boxes about runs that cannot be read, and notes.
pub fn boxes(found: &Found) -> impl Iterator<Item = Block> {
    let faults = found.faults.iter().map(in_a_line).collect();
    let faults = callout(true, "Some of the runs cannot be read; the others are below", faults);
    faults.into_iter().chain(callout(false, "Notes", found.notes.clone()))
}

/// Returns boxes about data leakage, trials that did not end as planned, and models that are no better than a constant.
pub fn warnings(groups: &[Group]) -> Vec<Block> {
    let several = groups.len() > 1;
    let named = |group: &Group, message: String| match several {
        true => format!("{}: {message}", group.label),
        false => message,
    };
    let leaks = groups.iter().filter_map(|group| Some(named(group, leak(group)?))).collect();
    // With several groups, the comparison lists these among its cautions.
    let incomplete = match groups {
        [group] => {
            trial_status::incomplete(&group.trials.iter().filter_map(|trial| trial.history()).collect::<Vec<_>>())
        }
        _ => Vec::new(),
    };
    let constant = groups.iter().flat_map(|group| {
        let histories: Vec<_> = group.trials.iter().filter_map(|trial| trial.history()).collect();
        cautions(&histories).into_iter().map(|caution| named(group, caution)).collect::<Vec<_>>()
    });
    let boxes = [
        callout(true, "Data leakage: these metrics are inflated", leaks),
        callout(false, "Not every trial ended as planned", incomplete),
        callout(false, "No better than a constant prediction", constant.collect()),
    ];
    boxes.into_iter().flatten().collect()
}

/// Returns the reason for data leakage; `None` if there is none.
pub fn leak(group: &Group) -> Option<String> {
    group.trials.iter().find_map(|trial| trial.history()?.data.resample.as_ref()?.leak.clone())
}
