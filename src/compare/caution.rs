//! Cautions: reasons why metrics of the same name are not comparable between groups.

use crate::compare::group::Group;
use crate::compare::positive_class::positive_classes;
use crate::compare::ranking::same_loss;
use crate::compare::trial::{Curve, Trial};
use crate::history::number::Number;
use crate::history::{History, Status, baseline};

/// Returns the cautions for a comparison of these groups, a sentence each. `by_validation` says whether a validation
/// metric decides the comparison.
pub fn find_cautions(groups: &[Group], by_validation: bool) -> Vec<String> {
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
            cautions.push(format!("different data than {}: {}", first.label, data.join(", ")));
        } else if !rows.is_empty() {
            cautions.push(format!("different test rows than {}: {}", first.label, rows.join(", ")));
        }
        let validation = differ(&|other| validation_rows(other) == validation_rows(history));
        if by_validation && data.is_empty() && !validation.is_empty() {
            cautions.push(format!("different validation rows than {}: {}", first.label, validation.join(", ")));
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
            "precision, recall, F1, AP and ROC AUC have different positive classes: {}",
            each.join("; ")
        ));
    }
    for group in groups {
        if group.leaks() {
            cautions.push(format!(
                "{}: data leakage: rows were resampled before the split, so its metrics are inflated",
                group.label
            ));
        }
        let histories: Vec<&History> = group.trials.iter().filter_map(|trial| trial.history()).collect();
        let of_constant = baseline::cautions(&histories);
        cautions.extend(of_constant.into_iter().map(|caution| format!("{}: {caution}", group.label)));
        let of_status = |wanted: Status| {
            group.trials.iter().filter(|trial| trial.history().is_some_and(|history| history.status == wanted)).count()
        };
        let all = group.trials.len();
        cautions.extend(diverged(group).map(|diverged| format!("{}: {diverged}", group.label)));
        cautions.extend(not_finite(group).map(|not_finite| format!("{}: {not_finite}", group.label)));
        if let interrupted @ 1.. = of_status(Status::Interrupted) {
            let were = if interrupted == 1 { "was" } else { "were" };
            cautions.push(format!("{}: {interrupted} of {all} trials {were} interrupted", group.label));
        }
        if group.trials.iter().any(|trial| trial.fold().is_some()) {
            cautions.push(format!(
                "{}: folds share training rows, so intervals are too narrow and p values too small",
                group.label
            ));
        }
    }
    cautions
}

/// Describes how many trials of a group diverged; `None` if none did.
fn diverged(group: &Group) -> Option<String> {
    let (diverged, all) = (group.trials.iter().filter(|trial| trial.has_diverged()).count(), group.trials.len());
    match diverged {
        0 => None,
        1 if all == 1 => Some("diverged, so its values are neither ranked nor tested".to_owned()),
        _ if diverged == all => {
            Some(format!("all {all} trials diverged, so their values are neither ranked nor tested"))
        }
        1 => Some(format!("1 of {all} trials diverged and is excluded from means")),
        _ => Some(format!("{diverged} of {all} trials diverged and are excluded from means")),
    }
}

/// Describes the values of a foreign history that are not finite; `None` if all are. In a history of `runner`, a NaN
/// metric is undefined, which is normal, and a loss that is not finite makes the trial diverged, which has a caution
/// already.
fn not_finite(group: &Group) -> Option<String> {
    const NAMED: usize = 3;
    let of_curve = |(trial, name): (&Trial, &str)| {
        let Curve { epochs, values } = trial.curve(name)?;
        let found: Vec<usize> = (0..values.len()).filter(|&at| !values[at].is_finite()).collect();
        let (first, is_one) = (*found.first()?, found.len() == 1);
        let value = Number(values[first]);
        Some(match found.len() {
            1 if values.len() == 1 => format!("{name} is {value}"),
            all if all == values.len() => format!("{name} is not finite in all {all} epochs, first {value}"),
            _ if is_one => format!("{name} is {value} in epoch {}", epochs[first]),
            some => format!(
                "{name} is not finite in {some} of {} epochs, first {value} in epoch {}",
                values.len(),
                epochs[first]
            ),
        })
    };
    let foreign = || group.trials.iter().filter(|trial| trial.history().is_none());
    let mut found: Vec<String> = foreign()
        .flat_map(|trial| trial.series().into_iter().map(move |name| (trial, name)))
        .filter_map(of_curve)
        .collect();
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    (!found.is_empty()).then(|| found.join("; "))
}

/// Number of test rows and the split settings that select them: two histories with equal values have the same test
/// rows.
fn test_rows(history: &History) -> (usize, String) {
    (history.data.rows.test, split_by(history, &["test", "random_state", "stratify"]))
}

/// Number of validation rows and the split settings that select them.
fn validation_rows(history: &History) -> (usize, String) {
    (history.data.rows.validation, split_by(history, &["test", "validation", "folds", "random_state", "stratify"]))
}

fn split_by(history: &History, keys: &[&str]) -> String {
    let split = history.config.get("data").and_then(|data| data.as_object()?.values().next()?.get("split"));
    let part = |key: &str| split.and_then(|split| split.get(key)).map(ToString::to_string).unwrap_or_default();
    keys.iter().map(|key| part(key)).collect::<Vec<_>>().join(" ")
}
