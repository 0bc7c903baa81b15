//! The positive class of a binary target: the one named in the experiment, else the one with less than a third of the
//! rows, else the second one.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::table::recognize::number_format::same;
use crate::data::{DatasetInfo, Target};
use crate::history::positive_class::{ChosenBy, PositiveClass};

/// A class as written in the experiment: its name, or its number if classes are numbers.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a class")]
pub enum ClassName {
    /// A name.
    Text(String),
    /// A number.
    Number(i64),
    /// A truth value.
    Bool(bool),
}

/// Deserializes the optional name of a class.
///
/// # Errors
/// When it is not a string, integer or boolean.
pub fn name_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let written = Option::<ClassName>::deserialize(deserializer)?;
    Ok(written.map(|written| match written {
        ClassName::Text(name) => name,
        ClassName::Number(number) => number.to_string(),
        ClassName::Bool(truth) => truth.to_string(),
    }))
}

/// Checks that `positive` names one of two classes.
///
/// # Errors
/// When the target does not have two classes, or neither has this name.
pub fn check(stated: Option<&str>, info: &DatasetInfo) -> Result<(), Invalid> {
    let Some(stated) = stated else { return Ok(()) };
    if info.target != Target::Classes(2) {
        let message = format!("needs 2 classes, but the target has {}", info.target);
        let hint = match info.target {
            Target::Classes(_) => {
                "remove it: precision, recall and F1 are averaged over the classes that occur or are predicted"
            }
            Target::Labels(_) => "remove it: each label's `yes` is its positive class",
            Target::Values(_) => "remove it: numbers have no classes",
        };
        return Err(Invalid::new("positive", message).hint(hint));
    }
    if index_of(stated, &info.classes).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = info.classes.iter().map(String::as_str).collect();
    let message = format!("must be one of the classes, {}, found `{stated}`", suggest::either(&names));
    let hint = suggest::nearest(stated, names).map(|near| format!("did you mean `{near}`?"));
    Err(Invalid { key: "positive".to_owned(), message, hint })
}

/// Returns the positive class for these class counts; `None` unless there are two classes.
pub fn choose(stated: Option<&str>, classes: &[String], counts: &[u64]) -> Option<PositiveClass> {
    let ([_, _], &[first, second]) = (classes, counts) else { return None };
    let all = first + second;
    let is_rare = |count: u64| 3 * count < all;
    let (index, chosen) = match stated.and_then(|stated| index_of(stated, classes)) {
        Some(index) => (index, ChosenBy::Stated),
        None if is_rare(first) && first > 0 => (0, ChosenBy::Rarer),
        None if is_rare(second) && second > 0 => (1, ChosenBy::Rarer),
        None => (1, ChosenBy::Second),
    };
    Some(PositiveClass { name: classes[index].clone(), index, chosen })
}

/// Returns the index of a class by its name. An exact match wins over an equal number such as `1.0` for `1`.
fn index_of(stated: &str, classes: &[String]) -> Option<usize> {
    let exact = classes.iter().position(|class| class == stated);
    exact.or_else(|| classes.iter().position(|class| same(class, stated)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::shape::Shape;

    fn classes(names: [&str; 2]) -> Vec<String> {
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_class_rarer_than_a_third_is_the_positive_one_unless_another_is_stated() {
        let chosen = |stated: Option<&str>, counts: [u64; 2]| {
            let found = choose(stated, &classes(["fraud", "legit"]), &counts).unwrap();
            assert_eq!(found.name, ["fraud", "legit"][found.index]);
            (found.index, found.chosen)
        };
        assert_eq!(chosen(None, [10, 90]), (0, ChosenBy::Rarer));
        assert_eq!(chosen(None, [90, 10]), (1, ChosenBy::Rarer));
        assert_eq!(chosen(None, [33, 66]), (1, ChosenBy::Second), "exactly a third");
        assert_eq!(chosen(None, [32, 66]), (0, ChosenBy::Rarer));
        assert_eq!(chosen(None, [0, 66]), (1, ChosenBy::Second), "what never occurs is no class to look for");
        assert_eq!(chosen(Some("legit"), [10, 90]), (1, ChosenBy::Stated));
        assert_eq!(choose(None, &classes(["a", "b"]), &[1, 2, 3]), None);
    }

    #[test]
    fn what_is_stated_must_be_one_of_two_classes() {
        let info = |target, names: [&str; 2]| DatasetInfo {
            sample: Shape::from([1]),
            target,
            rows: 4,
            test_rows: 0,
            validation_rows: 0,
            token_ids: None,
            classes: classes(names),
            notes: Vec::new(),
        };
        let two = info(Target::Classes(2), ["fraud", "legit"]);
        assert_eq!(check(Some("fraud"), &two), Ok(()));
        let fault = check(Some("Fruad"), &two).unwrap_err();
        assert_eq!(fault.to_string(), "`positive` must be one of the classes, `fraud` or `legit`, found `Fruad`");
        assert_eq!(fault.hint.unwrap(), "did you mean `fraud`?");
        assert_eq!(check(Some("1.0"), &info(Target::Classes(2), ["0", "1"])), Ok(()));
        let fault = check(Some("fraud"), &info(Target::Classes(3), ["fraud", "legit"])).unwrap_err();
        assert_eq!(fault.to_string(), "`positive` needs 2 classes, but the target has 3 classes");
        assert!(check(Some("1"), &info(Target::Values(1), ["y", "z"])).is_err());
        assert_eq!(check(None, &info(Target::Values(1), ["y", "z"])), Ok(()));
    }
}
