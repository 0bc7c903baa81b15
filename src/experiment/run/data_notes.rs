//! Notes about the data of a run that are known once they are loaded and split: classes without training rows, which a
//! model cannot learn, or without validation or test rows, columns that determine the class, and rows that are in two parts.

use std::collections::BTreeSet;

use tch::Kind;

use crate::config::suggest;
use crate::data::inspect::{leaking_columns, shared_rows};
use crate::data::split::Parts;
use crate::data::{Loaded, Rows, Target};
use crate::experiment::run::source_rows::{Fold, SourceRows};
use crate::history::number;
use crate::train::callback::Callback;

/// Maximum number of class names in a warning.
const MOST_NAMES: usize = 8;

/// Reports classes without training rows, and of the user's own data columns that determine the class and rows that are in two
/// parts, if they are not in `reported`.
pub(in crate::experiment) fn report(
    source: &SourceRows,
    folds: &[Fold],
    reported: &mut BTreeSet<String>,
    watch: &mut dyn Callback,
) {
    let parts: Vec<Parts> = folds.iter().map(|(_, data)| source.loaded.places(&data.parts)).collect();
    for warning in unseen_classes(folds, &source.loaded).into_iter().chain(absent_classes(&parts, &source.loaded)) {
        if reported.insert(warning.clone()) {
            watch.note(&warning);
        }
    }
    if !source.is_of_user() {
        return;
    }
    let facts = || [leaking_columns::notes(&source.loaded), shared_rows::notes(&source.loaded, &parts)].concat();
    for fact in source.facts.get_or_init(facts) {
        if reported.insert(fact.clone()) {
            watch.fact(fact);
        }
    }
}

/// Returns classes by their names.
fn named(numbers: &[usize], loaded: &Loaded) -> String {
    let names: Vec<&str> = numbers.iter().take(MOST_NAMES).map(|&class| loaded.classes[class].as_str()).collect();
    let more = numbers.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} {}{more}", if numbers.len() == 1 { "class" } else { "classes" }, suggest::list(&names))
}

/// Returns the warnings about classes without validation or test rows in these folds. Parts with fewer rows than classes, such
/// as those of leave-one-out, have none.
fn absent_classes(folds: &[Parts], loaded: &Loaded) -> Vec<String> {
    let Target::Classes(classes) = loaded.target else { return Vec::new() };
    let Ok(truth) = Vec::<i64>::try_from(loaded.rows.targets.to_kind(Kind::Int64)) else { return Vec::new() };
    let count = |rows: &[usize]| {
        let mut counts = vec![0; classes];
        rows.iter().for_each(|&row| counts[truth[row] as usize] += 1);
        counts
    };
    let of_part = |name: &str, own: Option<&Rows>, rows: &dyn Fn(&Parts) -> Option<Vec<usize>>| {
        let mut found: Vec<(Vec<usize>, u64)> = Vec::new(); // absent classes and rows, of each fold that lacks some
        for fold in folds {
            let counts: Vec<u64> = match (rows(fold), own) {
                (Some(rows), _) => count(&rows),
                (None, Some(own)) => own.counts(classes),
                (None, None) => continue,
            };
            let training = count(&fold.training);
            let absent: Vec<usize> = (0..classes).filter(|&class| counts[class] == 0 && training[class] > 0).collect();
            let all: u64 = counts.iter().sum();
            if !absent.is_empty() && all >= classes as u64 {
                found.push((absent, all));
            }
        }
        let (absent, all) = found.first()?;
        let in_folds = match folds.len() {
            1 => String::new(),
            all => format!(" in {} of {all} folds", found.len()),
        };
        let undefined = match classes {
            2 => "ROC AUC, and precision and recall of this class, are undefined there",
            _ => "scores of such a class are undefined there",
        };
        Some(format!(
            "no {name} rows of {}{in_folds} ({} rows): {undefined}; use `stratify = true`, `folds` or more rows",
            named(absent, loaded),
            number::count(*all as usize)
        ))
    };
    let validation = of_part("validation", loaded.validation.as_ref(), &|parts| parts.validation.clone());
    let test = of_part("test", loaded.test.as_ref(), &|parts| parts.test.clone());
    [validation, test].into_iter().flatten().collect()
}

/// Returns the warnings about classes without training rows in these folds.
fn unseen_classes(folds: &[Fold], loaded: &Loaded) -> Vec<String> {
    let Target::Classes(classes) = loaded.target else { return Vec::new() };
    let of_test = loaded.test.as_ref().map_or_else(|| vec![0; classes], |rows| rows.counts(classes));
    let all: Vec<u64> = loaded.rows.counts(classes).iter().zip(of_test).map(|(rows, test)| rows + test).collect();
    let named = |numbers: &[usize]| named(numbers, loaded);
    let absent: Vec<usize> = (0..classes).filter(|&class| all[class] == 0).collect();
    let mut warnings = Vec::new();
    if !absent.is_empty() {
        warnings.push(format!("the data have no rows of {}", named(&absent)));
    }
    let mut of_folds: Vec<(Vec<usize>, Vec<usize>)> = Vec::new(); // unseen classes, and the folds without them
    for (fold, data) in folds {
        let counts = data.training.rows().counts(classes);
        let unseen: Vec<usize> = (0..classes).filter(|&class| counts[class] == 0 && all[class] > 0).collect();
        match of_folds.iter_mut().find(|(classes, _)| *classes == unseen) {
            _ if unseen.is_empty() => {}
            Some((_, folds)) => folds.extend(fold),
            None => of_folds.push((unseen, fold.iter().copied().collect())),
        }
    }
    for (unseen, in_folds) in of_folds {
        let rows: u64 = unseen.iter().map(|&class| all[class]).sum();
        let elsewhere = match (rows, unseen.len()) {
            (1, _) => "its only row is held out".to_owned(),
            (_, 1) => format!("its {rows} rows are held out"),
            _ => format!("their {rows} rows are held out"),
        };
        let numbers: Vec<String> = in_folds.iter().map(ToString::to_string).collect();
        let in_which_folds = match in_folds.len() {
            0 => String::new(),
            all if all == folds.len() => String::new(),
            1 => format!(" in fold {}", numbers[0]),
            _ => format!(" in folds {}", numbers.join(", ")),
        };
        let cannot = if unseen.len() == 1 { "it cannot be learned" } else { "they cannot be learned" };
        warnings.push(format!("no training rows of {}{in_which_folds}: {elsewhere}, so {cannot}", named(&unseen)));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;
    use crate::data::prepare::prepared::Prepared;
    use crate::data::prepare::scale::Scale;
    use crate::data::table::form::Form;

    fn warnings_for(truth: &[i64], classes: &[&str], trainings: &[&[usize]]) -> Vec<String> {
        let features = Tensor::zeros([truth.len() as i64, 1], (Kind::Float, tch::Device::Cpu));
        let names = classes.iter().map(|name| (*name).to_owned()).collect();
        let rows = Rows::new(features, Tensor::from_slice(truth));
        let loaded = Loaded::new(String::new(), Target::Classes(classes.len()), names, rows, Form::Points);
        let fold = |(number, training): (usize, &&[usize])| {
            let held_out = (0..truth.len()).filter(|row| !training.contains(row)).collect();
            let parts = Parts { training: training.to_vec(), validation: None, test: Some(held_out) };
            let prepared = Prepared::from_parts(&loaded, &parts, Scale::None).unwrap();
            ((trainings.len() > 1).then_some(number), prepared)
        };
        let folds: Vec<Fold> = trainings.iter().enumerate().map(fold).collect();
        unseen_classes(&folds, &loaded)
    }

    #[test]
    fn a_class_without_test_rows_is_named_with_their_number() {
        let rows = |truth: &[i64]| {
            let features = Tensor::zeros([truth.len() as i64, 1], (Kind::Float, tch::Device::Cpu));
            Rows::new(features, Tensor::from_slice(truth))
        };
        let classes = vec!["no".to_owned(), "yes".to_owned()];
        let truth = [0, 0, 1, 1, 0, 0, 0];
        let loaded = Loaded::new(String::new(), Target::Classes(2), classes, rows(&truth), Form::Points);
        let parts = |test: &[usize]| {
            let training = (0..truth.len()).filter(|row| !test.contains(row)).collect();
            Parts { training, validation: None, test: Some(test.to_vec()) }
        };
        let found = absent_classes(&[parts(&[4, 5, 6])], &loaded);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("no test rows of class `yes` (3 rows): ROC AUC"), "{}", found[0]);
        assert!(absent_classes(&[parts(&[0, 2])], &loaded).is_empty());
        assert!(absent_classes(&[parts(&[0])], &loaded).is_empty(), "a single row has one class");
        let folds = absent_classes(&[parts(&[0, 2]), parts(&[4, 5])], &loaded);
        assert!(folds[0].contains(" in 1 of 2 folds "), "{}", folds[0]);
    }

    #[test]
    fn a_class_that_is_held_out_whole_is_named_and_one_that_never_occurs_too() {
        assert_eq!(warnings_for(&[0, 1, 2, 0], &["a", "b", "lone"], &[&[0, 1, 2]]), Vec::<String>::new());
        assert_eq!(
            warnings_for(&[0, 1, 2, 0], &["a", "b", "lone"], &[&[0, 1, 3]]),
            ["no training rows of class `lone`: its only row is held out, so it cannot be learned"]
        );
        assert_eq!(
            warnings_for(&[1, 2, 1, 2], &["none", "b", "c"], &[&[0, 1], &[0, 2]]),
            [
                "the data have no rows of class `none`",
                "no training rows of class `c` in fold 1: its 2 rows are held out, so it cannot be learned"
            ]
        );
    }
}
