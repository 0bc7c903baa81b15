//! The positive class of precision, recall, F1, AP and ROC AUC.

use crate::compare::group::Group;
use crate::history::History;
use crate::metrics::Metric;

/// Returns each positive class with the labels of its groups. Groups without metrics of a positive class are left out.
pub fn positive_classes<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut classes: Vec<(&str, Vec<&str>)> = Vec::new();
    for group in groups {
        let mut histories = group.trials.iter().filter_map(|trial| trial.history());
        let has_metrics = |history: &&History| !history.metrics_of_the_positive_class().is_empty();
        let Some(name) = histories.find(has_metrics).and_then(|history| history.data.positive_name()) else { continue };
        match classes.iter_mut().find(|(other, _)| *other == name) {
            Some((_, labels)) => labels.push(&group.label),
            None => classes.push((name, vec![&group.label])),
        }
    }
    classes
}

/// Returns the positive classes as text, such as "positive class: `fraud`"; `None` if no group has metrics of one.
pub fn describe<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Option<String> {
    match &positive_classes(groups)[..] {
        [] => None,
        [(class, _)] => Some(format!("positive class: `{class}`")),
        several => {
            let each: Vec<String> =
                several.iter().map(|(class, labels)| format!("`{class}` ({})", labels.join(", "))).collect();
            Some(format!("positive classes: {}", each.join(", ")))
        }
    }
}

/// Returns whether a metric path, such as `test.f1` or `best.val_ap`, is about the positive class.
pub fn is_of_positive_class(path: &str) -> bool {
    let metric = path.rsplit('.').next().unwrap_or(path).trim_start_matches("val_");
    Metric::info_of_name(metric).is_some_and(|info| info.uses_positive_class)
}
