//! Cautions: reasons why metrics of the same name are not comparable between groups.

use crate::compare::group::Group;
use crate::compare::positive_class::positive_classes;
use crate::compare::ranking::same_loss;
use crate::compare::trial::{Curve, Trial};
use crate::history::number::Number;
use crate::history::{History, Status, baseline};

/// A reason why metrics of the same name are not comparable between groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Some groups differ from another one.
    Differs {
        /// What differs.
        what: Difference,
        /// Index of the group that they differ from.
        from: usize,
        /// Indices of the groups that differ.
        groups: Vec<usize>,
    },
    /// The groups have different positive classes.
    PositiveClasses(String),
    /// Something about one group.
    Group {
        /// Its index.
        group: usize,
        /// What must be kept in mind.
        text: String,
    },
}

/// What differs between groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The data or some of its rows, such as "test rows".
    Rows(&'static str),
    /// Whether there are rows such as "test rows".
    Presence(&'static str),
    /// The loss functions.
    Losses,
}

impl Caution {
    /// Returns the caution as a sentence. `labels` returns the labels of some groups as a list.
    pub fn sentence(&self, labels: &dyn Fn(&[usize]) -> String) -> String {
        match self {
            Caution::Differs { what: Difference::Losses, from, groups } => {
                let all = match &groups[..] {
                    [one] => format!("{} and {}", labels(&[*from]), labels(&[*one])),
                    several => labels(&[&[*from], several].concat()),
                };
                format!("the losses of {all} are not comparable: different loss functions")
            }
            Caution::Differs { what: Difference::Rows(what), from, groups } => {
                let has = if groups.len() == 1 { "has" } else { "have" };
                format!("{} {has} other {what} than {}", labels(groups), labels(&[*from]))
            }
            Caution::Differs { what: Difference::Presence(what), from, groups } => {
                let has = if groups.len() == 1 { "has" } else { "have" };
                format!("{} {has} no {what}, but {} has", labels(groups), labels(&[*from]))
            }
            Caution::PositiveClasses(each) => {
                format!("precision, recall, F1, AP and ROC AUC have different positive classes: {each}")
            }
            Caution::Group { group, text } => format!("{}: {text}", labels(&[*group])),
        }
    }
}

/// Returns the cautions for a comparison of these groups as sentences. `by_validation` says whether a validation metric
/// decides the comparison.
pub fn find_cautions(groups: &[Group], by_validation: bool) -> Vec<String> {
    let labels =
        |places: &[usize]| places.iter().map(|&place| groups[place].label.as_str()).collect::<Vec<_>>().join(", ");
    find(groups, by_validation).iter().map(|caution| caution.sentence(&labels)).collect()
}

/// Returns the cautions for a comparison of these groups, those about all groups first.
pub fn find(groups: &[Group], by_validation: bool) -> Vec<Caution> {
    let mut cautions = Vec::new();
    let ours: Vec<(usize, &History)> = groups
        .iter()
        .enumerate()
        .filter_map(|(place, group)| Some((place, group.trials.first()?.history()?)))
        .collect();
    if let [(first, history), others @ ..] = &ours[..] {
        let differ = |what: Difference, same: &dyn Fn(&History) -> bool| {
            let groups: Vec<usize> = others.iter().filter(|(_, other)| !same(other)).map(|(place, _)| *place).collect();
            (!groups.is_empty()).then_some(Caution::Differs { what, from: *first, groups })
        };
        let data = differ(Difference::Rows("data"), &|other| {
            other.data.sha256 == history.data.sha256 && other.data.name == history.data.name
        });
        match data {
            Some(data) => cautions.push(data),
            None => {
                cautions.extend(of_rows(&ours, "test rows", test_rows));
                cautions.extend(
                    by_validation.then(|| of_rows(&ours, "validation rows", validation_rows)).into_iter().flatten(),
                );
            }
        }
        cautions.extend(differ(Difference::Losses, &|other| same_loss(other, history)));
    }
    let positive = positive_classes(groups);
    if positive.len() > 1 {
        let each = positive.iter().map(|(class, labels)| format!("`{class}` of {}", labels.join(", ")));
        cautions.push(Caution::PositiveClasses(each.collect::<Vec<_>>().join("; ")));
    }
    for (place, group) in groups.iter().enumerate() {
        cautions.extend(of_group(group).into_iter().map(|text| Caution::Group { group: place, text }));
    }
    cautions
}

/// Returns the cautions about a part of the rows: groups that have none, and groups that have others. `rows` returns the
/// number of rows and how they are selected.
fn of_rows(
    groups: &[(usize, &History)],
    what: &'static str,
    rows: fn(&History) -> (usize, String),
) -> impl Iterator<Item = Caution> {
    let (with, without): (Vec<_>, Vec<_>) = groups.iter().partition(|(_, history)| rows(history).0 > 0);
    let places = |groups: Vec<(usize, &History)>| groups.into_iter().map(|(place, _)| place).collect::<Vec<usize>>();
    let first = with.first().copied();
    let others = with.into_iter().filter(|(_, other)| first.is_some_and(|(_, first)| rows(first) != rows(other)));
    let differences =
        [(Difference::Presence(what), places(without)), (Difference::Rows(what), places(others.collect()))];
    let from = first.map(|(place, _)| place);
    differences.into_iter().filter_map(move |(what, groups)| {
        from.filter(|_| !groups.is_empty()).map(|from| Caution::Differs { what, from, groups })
    })
}

/// Returns a caution if the trees of several seeds are all equal.
fn equal_trees(histories: &[&History]) -> Option<String> {
    let (first, others) = histories.split_first().filter(|(_, others)| !others.is_empty())?;
    let metrics = |history: &History| history.test.as_ref().map(|test| test.metrics.clone());
    let is_equal = |other: &&History| {
        other.tree.is_some() && other.fold == first.fold && other.tree == first.tree && metrics(other) == metrics(first)
    };
    (first.tree.is_some() && others.iter().all(is_equal)).then(|| {
        format!(
            "the {} trees are equal: a seed decides only between equally good splits, so its differences have no spread",
            histories.len()
        )
    })
}

/// Returns what must be kept in mind about a group.
fn of_group(group: &Group) -> Vec<String> {
    let mut cautions = Vec::new();
    if group.leaks() {
        cautions.push("data leakage: rows were resampled before the split, so its metrics are inflated".to_owned());
    }
    let histories: Vec<&History> = group.trials.iter().filter_map(|trial| trial.history()).collect();
    cautions.extend(baseline::cautions(&histories));
    cautions.extend(equal_trees(&histories));
    cautions.extend(diverged(group));
    cautions.extend(not_finite(group));
    let of_status = |wanted: Status| histories.iter().filter(|history| history.status == wanted).count();
    let stops = [
        (Status::Interrupted, "interrupted"),
        (Status::TimeLimit, "stopped by the time limit"),
        (Status::Dropped, "dropped before the last epoch"),
    ];
    for (status, what) in stops {
        if let stopped @ 1.. = of_status(status) {
            let were = if stopped == 1 { "was" } else { "were" };
            cautions.push(match group.trials.len() {
                1 => format!("its only trial was {what}"),
                all => format!("{stopped} of {all} trials {were} {what}"),
            });
        }
    }
    if group.trials.iter().any(|trial| trial.fold().is_some()) {
        cautions.push("folds share training rows, so intervals are too narrow and p values too small".to_owned());
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
