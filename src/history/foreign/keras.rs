//! `History.history` of Keras as JSON: an object with a list for each metric.
//!
//! Epochs: a list's first value is that of epoch 1. Where the object has a list `epoch` beside them, it says the numbers,
//! counted from 0 if 0 is among them. Lists may differ in length. The object may stand under the key `history` of
//! another one, and a metric may be an object from row numbers to values, as pandas' `to_json` writes it.

use anyhow::{anyhow, bail};
use serde_json::{Map, Value};

use crate::hint::Hint;
use crate::history::foreign::{AtEpoch, Foreign, Format, loose_json};

/// Reads such a history.
///
/// # Errors
/// When it is damaged, or something else.
pub fn read(bytes: &[u8]) -> anyhow::Result<Foreign> {
    of(&loose_json::read(bytes)?)
}

/// Takes such a history from its JSON.
///
/// # Errors
/// When it is something else.
pub fn of(value: &Value) -> anyhow::Result<Foreign> {
    let Value::Object(whole) = value else { bail!("it is no history: an object with a list for each metric") };
    if whole.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with("runner.")) {
        return Err(anyhow!("it is a history of runner's own, and not of another program"));
    }
    let inner = match whole.get("history") {
        Some(Value::Object(inner)) => inner,
        _ => whole,
    };
    let numbers = epoch_numbers(inner);
    let mut foreign = Foreign::new(Format::Keras);
    for (name, column) in inner.iter().filter(|(name, _)| *name != "epoch") {
        let Some(values) = values(column) else { continue };
        let mut points = Vec::with_capacity(values.len());
        for (row, value) in values.into_iter().enumerate() {
            let epoch = numbers.as_ref().map_or(Some(row + 1), |numbers| numbers.get(row).copied());
            match (epoch, loose_json::number(value)) {
                (Some(epoch), Some(value)) => points.push(AtEpoch { epoch, value }),
                (Some(epoch), None) => foreign.notes.push(match value {
                    Value::Null => format!("`{name}` has no value in epoch {epoch}"),
                    other => format!("`{name}` is {other} in epoch {epoch}, which is no number: it is left out"),
                }),
                (None, _) => {}
            }
        }
        foreign.add(name, points);
    }
    foreign.checked().map_err(|error| {
        error.context(Hint(
            "a history of Keras is an object with a list for each metric: `json.dump(history.history, file)`"
                .to_owned(),
        ))
    })
}

/// The values of a column in their order; `None` of what is no column.
fn values(column: &Value) -> Option<Vec<&Value>> {
    match column {
        Value::Array(values) => Some(values.iter().collect()),
        Value::Object(rows) => by_row(rows),
        _ => None,
    }
}

/// The values of an object whose keys are row numbers.
fn by_row(rows: &Map<String, Value>) -> Option<Vec<&Value>> {
    let mut numbered: Vec<(usize, &Value)> =
        rows.iter().map(|(row, value)| Some((row.parse().ok()?, value))).collect::<Option<_>>()?;
    numbered.sort_by_key(|(row, _)| *row);
    Some(numbered.into_iter().map(|(_, value)| value).collect())
}

/// What a list `epoch` says, counted from 1.
fn epoch_numbers(columns: &Map<String, Value>) -> Option<Vec<usize>> {
    let numbers: Vec<usize> = values(columns.get("epoch")?)?
        .into_iter()
        .map(|value| value.as_u64().and_then(|epoch| usize::try_from(epoch).ok()))
        .collect::<Option<_>>()?;
    let shift = usize::from(numbers.contains(&0));
    Some(numbers.into_iter().map(|epoch| epoch + shift).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(foreign: &Foreign, name: &str) -> Vec<(usize, f64)> {
        foreign.series[name].iter().map(|point| (point.epoch, point.value.0)).collect()
    }

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
        let foreign = read(br#"{"loss": ["0.5", "low", null, 0.125]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.5), (4, 0.125)]);
        assert_eq!(foreign.notes.len(), 2);
        assert!(foreign.notes[0].contains("`loss` is \"low\" in epoch 2"), "{:?}", foreign.notes);
    }

    #[test]
    fn rows_of_pandas_and_a_list_of_epochs_are_understood() {
        let foreign =
            read(br#"{"loss": {"0": 1.0, "10": 0.25, "2": 0.5}, "epoch": {"0": 0, "2": 2, "10": 10}}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.0), (3, 0.5), (11, 0.25)]);
    }

    #[test]
    fn what_is_no_history_is_refused() {
        for text in
            [&b"{}"[..], b"[1, 2]", b"3", b"{\"a\": 1}", b"{\"loss\": []}", b"{\"schema\": \"runner.history/1\"}"]
        {
            assert!(read(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
