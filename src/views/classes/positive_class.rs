//! The positive class: the one that precision, recall, F1, AP, ROC AUC and the threshold are about.

use indexmap::{IndexMap, IndexSet};

use crate::compare::group::Group;
use crate::history::History;
use crate::views::document::block::Block;

/// Returns the positive class and the metrics that are about it; if variants differ, the class of each. `None` without one.
pub fn sentence(histories: &[&History]) -> Option<String> {
    let mut metrics: IndexSet<String> = IndexSet::new();
    let mut classes: IndexMap<String, IndexSet<&str>> = IndexMap::new();
    for history in histories {
        let names = history.metrics_of_the_positive_class();
        if let Some(class) = history.data.describe_positive().filter(|_| !names.is_empty()) {
            metrics.extend(names);
            classes.entry(class).or_default().insert(&history.variant);
        }
    }
    let joined = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
    let metrics = joined(&mut metrics.iter().map(String::as_str));
    let is_one = classes.len() == 1;
    let each = classes.iter().map(|(class, variants)| match is_one {
        true => class.clone(),
        false => format!("{class} in {}", joined(&mut variants.iter().copied())),
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("positive class of {metrics}: {}", each.join("; ")))
}

/// Returns the sentence as a note.
pub fn note(groups: &[Group]) -> Option<Block> {
    let trials = groups.iter().flat_map(|group| &group.trials);
    sentence(&trials.filter_map(|trial| trial.history()).collect::<Vec<_>>()).map(Block::Note)
}
