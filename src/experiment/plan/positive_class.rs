//! The positive class of two: stated, or the one that is rarer than a third of the rows, or the second one.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::table::recognize::number_format::same;
use crate::data::{DatasetInfo, Target};
use crate::history::positive::{ChosenBy, PositiveClass};

/// A class as it is written: its name, or its number where classes are numbers.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a class")]
pub enum Written {
    /// A name.
    Text(String),
    /// A number.
    Number(i64),
    /// A truth value.
    Truth(bool),
}

/// Reads the name of a class, where one is given.
///
/// # Errors
/// When it is no text, whole number or truth value.
pub fn name_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let written = Option::<Written>::deserialize(deserializer)?;
    Ok(written.map(|written| match written {
        Written::Text(name) => name,
        Written::Number(number) => number.to_string(),
        Written::Truth(truth) => truth.to_string(),
    }))
}

/// Checks that the stated class is one of two.
///
/// # Errors
/// When the target is not two classes, or none of them has this name.
pub fn check(stated: Option<&str>, card: &DatasetInfo) -> Result<(), Invalid> {
    let Some(stated) = stated else { return Ok(()) };
    if card.target != Target::Classes(2) {
        let message = format!("is for 2 classes, and the target is {}", card.target);
        let hint = match card.target {
            Target::Classes(_) => "leave it out: precision, recall and F1 are means over all classes",
            Target::Labels(_) => "leave it out: each label's `yes` is its positive class",
            Target::Values(_) => "leave it out: numbers have no classes",
        };
        return Err(Invalid::new("positive", message).hint(hint));
    }
    if position(stated, &card.classes).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = card.classes.iter().map(String::as_str).collect();
    let message = format!("must be one of the classes, {}, found `{stated}`", suggest::either(&names));
    let fault = Invalid::new("positive", message);
    Err(match suggest::nearest(stated, names) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    })
}

/// The positive class of rows whose classes have these counts; `None` where there are not two classes.
pub fn choose(stated: Option<&str>, classes: &[String], counts: &[u64]) -> Option<PositiveClass> {
    let ([_, _], &[first, second]) = (classes, counts) else { return None };
    let all = first + second;
    let is_rare = |count: u64| 3 * count < all;
    let (index, chosen) = match stated.and_then(|stated| position(stated, classes)) {
        Some(index) => (index, ChosenBy::Stated),
        None if is_rare(first) && first > 0 => (0, ChosenBy::Rarer),
        None if is_rare(second) && second > 0 => (1, ChosenBy::Rarer),
        None => (1, ChosenBy::Second),
    };
    Some(PositiveClass { name: classes[index].clone(), index, chosen })
}

/// The place of a class by its name; a name that is written exactly so goes before one that is the same number.
fn position(stated: &str, classes: &[String]) -> Option<usize> {
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
        let card = |target, names: [&str; 2]| DatasetInfo {
            sample: Shape::from([1]),
            target,
            rows: 4,
            test_rows: 0,
            classes: classes(names),
            notes: Vec::new(),
        };
        let two = card(Target::Classes(2), ["fraud", "legit"]);
        assert_eq!(check(Some("fraud"), &two), Ok(()));
        let fault = check(Some("Fruad"), &two).unwrap_err();
        assert_eq!(fault.to_string(), "`positive` must be one of the classes, `fraud` or `legit`, found `Fruad`");
        assert_eq!(fault.hint.unwrap(), "did you mean `fraud`?");
        assert_eq!(check(Some("1.0"), &card(Target::Classes(2), ["0", "1"])), Ok(()));
        let fault = check(Some("fraud"), &card(Target::Classes(3), ["fraud", "legit"])).unwrap_err();
        assert_eq!(fault.to_string(), "`positive` is for 2 classes, and the target is 3 classes");
        assert!(check(Some("1"), &card(Target::Values(1), ["y", "z"])).is_err());
        assert_eq!(check(None, &card(Target::Values(1), ["y", "z"])), Ok(()));
    }
}
