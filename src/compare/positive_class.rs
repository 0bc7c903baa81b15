//! The positive class that groups' precision, recall, F1, AP and ROC AUC are about.

use crate::compare::group::Group;
use crate::history::History;
use crate::metrics::Metric;

/// The positive class of each group that has metrics of it, groups that share one together.
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

/// The same in words: "positive class: `fraud`"; `None` where no group has metrics of one.
pub fn in_words<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Option<String> {
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

/// Whether a figure, such as `test.f1` or `best.val_ap`, is about the positive class.
pub fn is_about_it(figure: &str) -> bool {
    let metric = figure.rsplit('.').next().unwrap_or(figure).trim_start_matches("val_");
    Metric::ALL.iter().any(|known| known.is_of_the_positive_class() && known.name() == metric)
}
