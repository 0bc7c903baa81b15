//! What keeps figures from being set against each other, though their names are the same.

use crate::compare::group::Group;
use crate::compare::positive_class::positive_classes;
use crate::compare::ranking::same_loss;
use crate::history::{History, Status};

/// What to keep in mind of a comparison of these groups, a sentence each; `by_validation` says whether figures of validation
/// rows decide it.
pub fn of(groups: &[Group], by_validation: bool) -> Vec<String> {
    let mut cautions = Vec::new();
    let ours: Vec<(&Group, &History)> =
        groups.iter().filter_map(|group| Some((group, group.trials.first()?.history()?))).collect();
    if let [(first, history), others @ ..] = &ours[..] {
        let differ = |same: &dyn Fn(&History) -> bool| -> Vec<&str> {
            others.iter().filter(|(_, other)| !same(other)).map(|(group, _)| group.label.as_str()).collect()
        };
        let data = differ(&|other| other.data.sha256 == history.data.sha256 && other.data.name == history.data.name);
        let rows = differ(&|other| test_rows(other) == test_rows(history));
        if !data.is_empty() {
            cautions.push(format!("not the same data as {}: {}", first.label, data.join(", ")));
        } else if !rows.is_empty() {
            cautions.push(format!("not the same test rows as {}: {}", first.label, rows.join(", ")));
        }
        let validation = differ(&|other| validation_rows(other) == validation_rows(history));
        if by_validation && data.is_empty() && !validation.is_empty() {
            cautions.push(format!("not the same validation rows as {}: {}", first.label, validation.join(", ")));
        }
        let losses = differ(&|other| same_loss(other, history));
        if !losses.is_empty() {
            cautions.push(format!(
                "losses are not comparable, different loss functions than {}: {}",
                first.label,
                losses.join(", ")
            ));
        }
    }
    let positive = positive_classes(groups);
    if positive.len() > 1 {
        let each: Vec<String> =
            positive.iter().map(|(class, labels)| format!("`{class}` of {}", labels.join(", "))).collect();
        cautions.push(format!(
            "precision, recall, F1, AP and ROC AUC are of different positive classes: {}",
            each.join("; ")
        ));
    }
    for group in groups {
        if group.leaks() {
            cautions.push(format!(
                "{} leaks: its rows were resampled before they were split, so its figures are too good",
                group.label
            ));
        }
        let of_status = |wanted: Status| {
            group.trials.iter().filter(|trial| trial.history().is_some_and(|history| history.status == wanted)).count()
        };
        let all = group.trials.len();
        if let diverged @ 1.. = of_status(Status::Diverged) {
            cautions.push(format!("{}: {diverged} of {all} trials diverged, and stand in no mean", group.label));
        }
        if let interrupted @ 1.. = of_status(Status::Interrupted) {
            let were = if interrupted == 1 { "was" } else { "were" };
            cautions.push(format!("{}: {interrupted} of {all} trials {were} interrupted", group.label));
        }
        if group.trials.iter().any(|trial| trial.fold().is_some()) {
            cautions
                .push(format!("{}: folds share training rows, so intervals and p over them are too sure", group.label));
        }
    }
    cautions
}

/// What makes test rows the same: how many, and how they were split off.
fn test_rows(history: &History) -> (usize, String) {
    (history.data.rows.test, split_by(history, &["test", "random_state", "stratify"]))
}

/// What makes validation rows the same.
fn validation_rows(history: &History) -> (usize, String) {
    (history.data.rows.validation, split_by(history, &["test", "validation", "folds", "random_state", "stratify"]))
}

fn split_by(history: &History, keys: &[&str]) -> String {
    let split = history.config.get("data").and_then(|data| data.as_object()?.values().next()?.get("split"));
    let part = |key: &str| split.and_then(|split| split.get(key)).map(ToString::to_string).unwrap_or_default();
    keys.iter().map(|key| part(key)).collect::<Vec<_>>().join(" ")
}
