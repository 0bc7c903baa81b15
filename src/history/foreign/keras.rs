//! `History.history` of Keras as JSON: an object with a list for each metric.
//!
//! Epochs: a list's first value is that of epoch 1. Where the object has a list `epoch` beside them, it says the numbers,
//! counted from 0 if 0 is among them. Lists may differ in length. The object may stand under the key `history` of
//! another one, and a metric may be an object from row numbers to values, as pandas' `to_json` writes it.

use anyhow::{anyhow, bail};
use serde_json::{Map, Value};

use crate::hint::Hint;
use crate::history::foreign::points::{Points, shift};
use crate::history::foreign::{Foreign, Format, loose_json};

const FORM: &str = "a history of Keras is an object with a list for each metric: `json.dump(history.history, file)`";

/// Reads such a history.
///
/// # Errors
/// When it is damaged, or something else.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    of(&loose_json::read(text)?).map_err(|error| error.context(Hint(FORM.to_owned())))
}

fn of(value: &Value) -> anyhow::Result<Foreign> {
    let Value::Object(whole) = value else { bail!("it is no history") };
    if whole.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with("runner.")) {
        return Err(anyhow!("it is a history of runner's own, and not of another program"));
    }
    let mut inner = whole;
    while let Some(Value::Object(within)) = inner.get("history") {
        inner = within;
    }
    let numbers = epoch_numbers(inner);
    let mut points = Points::default();
    for (name, column) in inner.iter().filter(|(name, _)| *name != "epoch") {
        for (row, value) in values(column).into_iter().flatten().enumerate() {
            let epoch = match &numbers {
                Some(numbers) => numbers.get(row).copied(),
                None => Some(row + 1),
            };
            match (epoch, loose_json::number(value)) {
                (Some(epoch), Some(value)) => points.push(name, None, epoch, value),
                (Some(_), None) if value.is_null() => {} // as pandas writes what is absent
                (Some(epoch), None) => {
                    points.leave_out(format!("`{name}` in epoch {epoch} is no number: {}", brief(value)));
                }
                (None, _) => {
                    points.leave_out(format!("`{name}` has more values than there are epochs"));
                    break;
                }
            }
        }
    }
    points.into_foreign(Format::Keras)
}

/// The beginning of a value as it is written.
pub(super) fn brief(value: &Value) -> String {
    const MOST: usize = 30;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The values of a column in their order; `None` of what is no column.
fn values(column: &Value) -> Option<Vec<&Value>> {
    match column {
        Value::Array(values) => Some(values.iter().collect()),
        Value::Object(rows) => {
            let rows = rows.iter().map(|(row, value)| Some((row.parse().ok()?, value)));
            let mut rows: Vec<(usize, &Value)> = rows.collect::<Option<_>>()?;
            rows.sort_by_key(|(row, _)| *row);
            Some(rows.into_iter().map(|(_, value)| value).collect())
        }
        _ => None,
    }
}

/// What a list `epoch` says, counted from 1.
fn epoch_numbers(columns: &Map<String, Value>) -> Option<Vec<usize>> {
    let numbers = values(columns.get("epoch")?)?.into_iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()?;
    let shift = shift(numbers.iter().copied());
    numbers.into_iter().map(|epoch| usize::try_from(epoch.checked_add(shift)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::logged::values_for_tests as values_of;

    #[test]
    fn lists_of_different_length_have_points_of_their_own() {
        let foreign = read(br#"{"history": {"loss": [0.5, 0.25, NaN], "val_accuracy": [0.5]}, "params": {}}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss")[..2], [(1, 0.5), (2, 0.25)]);
        assert!(values_of(&foreign, "loss")[2].1.is_nan());
        assert_eq!(values_of(&foreign, "val_acc"), [(1, 0.5)]);
        assert_eq!(foreign.notes, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_number_is_left_out_and_told() {
        let foreign = read(br#"{"loss": ["0.5", "low", null, 0.125, [], {}, false]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.5), (4, 0.125)]);
        assert_eq!(foreign.notes[0], "`loss` in epoch 2 is no number: `\"low\"`");
        assert_eq!(foreign.notes[3..], ["1 more like these is left out"]);
    }

    #[test]
    fn rows_of_pandas_and_a_list_of_epochs_are_understood() {
        let text = br#"{"loss": {"0": 1.0, "10": 0.25, "2": 0.5}, "epoch": {"0": 0, "2": 2, "10": 10}}"#;
        assert_eq!(values_of(&read(text).unwrap(), "loss"), [(1, 1.0), (3, 0.5), (11, 0.25)]);
        let short = read(br#"{"loss": [1, 2, 3], "epoch": [5, 6]}"#).unwrap();
        assert_eq!(values_of(&short, "loss"), [(5, 1.0), (6, 2.0)]);
        assert_eq!(short.notes, ["`loss` has more values than there are epochs"]);
    }

    #[test]
    fn numbers_without_a_successor_are_no_epochs() {
        let foreign = read(br#"{"loss": [1, 2], "epoch": [0, 18446744073709551615]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.0), (2, 2.0)]);
    }

    #[test]
    fn two_names_for_the_same_do_not_hide_each_other() {
        let foreign = read(br#"{"acc": [0.5], "accuracy": [0.25]}"#).unwrap();
        assert_eq!((values_of(&foreign, "acc"), values_of(&foreign, "accuracy")), (vec![(1, 0.5)], vec![(1, 0.25)]));
        assert_eq!(foreign.notes.len(), 1);
    }

    #[test]
    fn what_is_no_history_is_refused() {
        for text in ["{}", "{\"a\": 1}", "{\"loss\": []}", "{\"loss\": [\"x\"]}", "{\"schema\": \"runner.history/1\"}"]
        {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
