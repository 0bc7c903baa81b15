//! Keras's `History.history` as JSON: an object with one list per metric.
//!
//! The first value of a list belongs to epoch 1, unless a list `epoch` has the numbers, counted from 0 if 0 is among them.
//! The object may be below the key `history` of another object, as in `vars(history)`, whose list `epoch` counts from 0. A
//! metric may be an object from row numbers to values, as from pandas' `to_json`. A list that is shorter or longer than the
//! loss is skipped, because its epochs are unknown (with `validation_freq=2`, Keras's validation lists have half the
//! length).

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use serde_json::Value;

use crate::config::hint::Hint;
use crate::history::foreign::epochs::{self, Counting, Numbering, Row};
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::json::loose_json::{self, excerpt};
use crate::history::foreign::json::{records, trainer};
use crate::history::foreign::names;
use crate::history::foreign::points::Points;

/// The expected format, for hints.
const EXPECTED: &str = "a history of Keras is an object with one list per metric: `json.dump(history.history, file)`";

/// Reads a history of Keras, or another history that is a JSON object.
///
/// # Errors
/// If it is damaged or something else.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    read_value(&loose_json::parse(text)?).map_err(|error| error.context(Hint(EXPECTED.to_owned())))
}

fn read_value(value: &Value) -> anyhow::Result<Foreign> {
    let Value::Object(whole) = value else { bail!("it is not a history") };
    if whole.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with("runner.")) {
        return Err(anyhow!("it is a history of runner, not of another program"));
    }
    if let Some(Value::Array(entries)) = whole.get(trainer::LOG) {
        return trainer::read(entries);
    }
    if let Some(rows) = records::rows_of_frame(whole) {
        return records::read_list(&rows);
    }
    let (mut inner, mut outer_epochs) = (whole, None);
    while let Some(Value::Object(within)) = inner.get("history") {
        outer_epochs = inner.get("epoch").and_then(Value::as_array);
        inner = within;
    }
    let mut points = Points::default();
    let (named, unnamed): (Vec<_>, Vec<_>) = inner.iter().partition(|(name, _)| name.len() <= names::LONGEST);
    unnamed.iter().for_each(|_| points.skip("the name of a metric is too long".to_owned()));
    let columns: Vec<(&str, Column)> = named
        .into_iter()
        .filter(|(name, _)| *name != "epoch")
        .filter_map(|(name, column)| Some((name.as_str(), Column::parse(column)?)))
        .filter(|(_, column)| !column.values.is_empty())
        .collect();
    let own = inner.get("epoch").and_then(Column::parse).map(|column| (column, Counting::AsWritten));
    let of_keras = || Some((Column::in_order(outer_epochs?), Counting::FromZero("Keras")));
    let numbers = own.or_else(of_keras);
    let length = numbers.as_ref().map_or_else(|| usual_length(&columns), |(numbers, _)| numbers.values.len());
    let (columns, others): (Vec<_>, Vec<_>) =
        columns.into_iter().partition(|(_, column)| column.is_by_row || column.values.len() == length);
    points.notes.extend(others.iter().map(|(name, column)| other_length(name, column.values.len(), length)));
    // the rows of a frame may be counted from 1
    let first = columns.iter().flat_map(|(_, column)| column.values.first()).map(|(row, _)| *row).min();
    let shift = usize::from(first != Some(1));
    let mut rows: Vec<usize> = columns.iter().flat_map(|(_, column)| &column.values).map(|(row, _)| *row).collect();
    rows.sort_unstable();
    rows.dedup();
    let epoch_of = |row: usize| match &numbers {
        Some((numbers, _)) => numbers.at(row).and_then(loose_json::number),
        None => Some(row.saturating_add(shift) as f64),
    };
    let order: Vec<Row> =
        rows.iter().map(|&row| epoch_of(row).and_then(epochs::valid).map_or(Row::AfterAll, Row::Epoch)).collect();
    let (is_kept, note) = epochs::select_last_run(&order, |place| format!("value {}", rows[place] + 1));
    points.notes.extend(note);
    let mut kept: Vec<(usize, f64)> = Vec::new();
    for ((row, order), is_kept) in rows.iter().zip(order).zip(is_kept) {
        match order {
            Row::Epoch(epoch) if is_kept => kept.push((*row, epoch)),
            Row::Epoch(_) => {}
            Row::BeforeNext | Row::AfterAll => {
                let written = numbers.as_ref().and_then(|(numbers, _)| numbers.at(*row));
                let written = written.map_or("nothing".to_owned(), excerpt);
                points.skip(format!("value {}: invalid epoch: {written}", row + 1));
            }
        }
    }
    let counting = numbers.as_ref().map_or(Counting::AsWritten, |(_, counting)| *counting);
    let numbering = Numbering::detect(kept.iter().map(|(_, epoch)| *epoch), counting);
    for (name, column) in columns {
        for (row, value) in column.values {
            let Ok(place) = kept.binary_search_by_key(&row, |(row, _)| *row) else { continue };
            match (numbering.epoch(kept[place].1), loose_json::number(value)) {
                (Some(epoch), Some(value)) => points.push(name, None, epoch, value),
                (None, Some(_)) => points.skip(format!("`{name}` in epoch 0, before training")),
                (_, None) if value.is_null() => {} // a missing value of pandas
                (_, None) => points.skip(format!("`{name}`, value {}, is not a number: {}", row + 1, excerpt(value))),
            }
        }
    }
    if numbering == Numbering::Fractions {
        points.ignore_repeats();
    }
    points.notes.extend(numbering.notes(kept.iter().map(|(_, epoch)| *epoch), counting));
    points.into_foreign(Format::Keras)
}

/// The values of a metric, each with its row number from 0.
struct Column<'v> {
    values: Vec<(usize, &'v Value)>,
    /// Whether the file has the row numbers, as from pandas' `to_json`.
    is_by_row: bool,
}

impl<'v> Column<'v> {
    /// Parses a column, or returns `None` if the value is not a column.
    fn parse(column: &'v Value) -> Option<Column<'v>> {
        match column {
            Value::Array(values) => Some(Column::in_order(values)),
            Value::Object(rows) => {
                let rows = rows.iter().map(|(row, value)| Some((row.parse().ok()?, value)));
                let mut values: Vec<(usize, &Value)> = rows.collect::<Option<_>>()?;
                values.sort_by_key(|(row, _)| *row);
                Some(Column { values, is_by_row: true })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    fn in_order(values: &'v [Value]) -> Column<'v> {
        Column { values: values.iter().enumerate().collect(), is_by_row: false }
    }

    /// Returns the value in a row.
    fn at(&self, row: usize) -> Option<&'v Value> {
        let place = self.values.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        Some(self.values[place].1)
    }
}

/// Returns the number of epochs: the number of values of the training loss, or else the most frequent length of a list.
fn usual_length(columns: &[(&str, Column)]) -> usize {
    let of_loss = columns.iter().find(|(name, _)| names::standard(name, None) == "loss");
    if let Some((_, loss)) = of_loss {
        return loss.values.len();
    }
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    columns.iter().for_each(|(_, column)| *times.entry(column.values.len()).or_default() += 1);
    times.into_iter().max_by_key(|(length, times)| (*times, *length)).map_or(0, |(length, _)| length)
}

/// Returns the note on a skipped list.
fn other_length(name: &str, found: usize, epochs: usize) -> String {
    let values = if found == 1 { "value" } else { "values" };
    let of = if epochs == 1 { "epoch" } else { "epochs" };
    format!(
        "`{name}` is skipped: it has {found} {values} for {epochs} {of}, so its values cannot be assigned to epochs; a log \
         of Keras's `CSVLogger` has the epoch numbers"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::logged_values::values_for_tests as values_of;

    #[test]
    fn a_list_of_another_length_than_the_loss_is_skipped_with_a_note() {
        let foreign =
            read(br#"{"history": {"batch": [1, 2, 3, 4, 5, 6, 7], "loss": [0.5, 0.25, NaN], "val_accuracy": [0.5]}}"#);
        let foreign = foreign.unwrap();
        assert_eq!(values_of(&foreign, "loss")[..2], [(1, 0.5), (2, 0.25)]);
        assert!(values_of(&foreign, "loss")[2].1.is_nan());
        assert_eq!(foreign.series.len(), 1);
        assert!(
            foreign.notes[0].starts_with("`batch` is skipped: it has 7 values for 3 epochs"),
            "{:?}",
            foreign.notes
        );
        assert!(foreign.notes[1].starts_with("`val_accuracy` is skipped: it has 1 value for 3 epochs"));
        // the epochs of the loss are known, those of the other list are not
        let said = read(br#"{"epoch": [0, 1, 2, 3], "val_loss": [1, 2], "loss": [4, 3, 2, 1]}"#).unwrap();
        assert_eq!(said.series.keys().collect::<Vec<_>>(), ["loss"]);
    }

    #[test]
    fn epochs_may_be_floats_or_fractions() {
        let floats = read(br#"{"epoch": [5.0, 6.0, 7.0], "loss": [3, 2, 1]}"#).unwrap();
        assert_eq!(values_of(&floats, "loss"), [(5, 3.0), (6, 2.0), (7, 1.0)]);
        let texts = read(br#"{"epoch": ["0", "np.int64(1)"], "loss": [[3], [2]]}"#).unwrap();
        assert_eq!(values_of(&texts, "loss"), [(1, 3.0), (2, 2.0)]);
        let halves = read(br#"{"epoch": [0.5, 1.0, 1.5, 2.0], "loss": [4, 3, 2, 1]}"#).unwrap();
        assert_eq!(values_of(&halves, "loss"), [(1, 3.0), (2, 1.0)]);
        assert!(halves.notes[0].contains("fractions, such as 0.5"), "{:?}", halves.notes);
    }

    #[test]
    fn the_epochs_of_a_history_object_count_from_0() {
        let resumed = read(br#"{"params": {}, "epoch": [5, 6], "history": {"loss": [2, 1]}}"#).unwrap();
        assert_eq!(values_of(&resumed, "loss"), [(6, 2.0), (7, 1.0)]);
        assert_eq!(resumed.notes, ["its first epoch is 6: it is written as 5, and Keras counts from 0"]);
    }

    #[test]
    fn two_histories_in_a_row_are_two_runs() {
        let twice = read(br#"{"epoch": [0, 1, 2, 0, 1], "loss": [5, 4, 3, 7, 6]}"#).unwrap();
        assert_eq!(values_of(&twice, "loss"), [(1, 7.0), (2, 6.0)]);
        assert!(
            twice.notes[0].contains("go back from 2 to 0 in value 4: another run starts there"),
            "{:?}",
            twice.notes
        );
    }

    #[test]
    fn other_values_than_numbers_are_skipped_with_a_note() {
        let foreign = read(br#"{"loss": ["0.5", "low", null, 0.125, [], {}, false]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.5), (4, 0.125)]);
        assert_eq!(foreign.notes[0], "`loss`, value 2, is not a number: `\"low\"`");
        assert_eq!(foreign.notes[3..], ["1 more skipped"]);
    }

    #[test]
    fn rows_of_pandas_and_a_list_of_epochs_are_understood() {
        let text = br#"{"loss": {"0": 1.0, "10": 0.25, "2": 0.5}, "epoch": {"0": 0, "2": 2, "10": 10}}"#;
        assert_eq!(values_of(&read(text).unwrap(), "loss"), [(1, 1.0), (3, 0.5), (11, 0.25)]);
        let sparse = read(br#"{"loss": {"5": 1.0, "6": 0.25}, "val_loss": {"6": 2.0}}"#).unwrap();
        assert_eq!(values_of(&sparse, "loss"), [(6, 1.0), (7, 0.25)]);
        assert_eq!(values_of(&sparse, "val_loss"), [(7, 2.0)]);
        let short = read(br#"{"loss": [1, 2, 3], "acc": [1, 2], "epoch": [5, 6]}"#).unwrap();
        assert_eq!(values_of(&short, "acc"), [(5, 1.0), (6, 2.0)]);
        assert!(short.notes[0].starts_with("`loss` is skipped: it has 3 values for 2 epochs"), "{:?}", short.notes);
    }

    #[test]
    fn huge_epochs_are_skipped() {
        let foreign = read(br#"{"loss": [1, 2], "epoch": [0, 18446744073709551615]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.0)]);
        assert_eq!(foreign.notes, ["value 2: invalid epoch: `18446744073709551615`"]);
    }

    #[test]
    fn two_names_of_the_same_metric_are_both_read() {
        let foreign = read(br#"{"acc": [0.5], "accuracy": [0.25]}"#).unwrap();
        assert_eq!((values_of(&foreign, "acc"), values_of(&foreign, "accuracy")), (vec![(1, 0.5)], vec![(1, 0.25)]));
        assert_eq!(foreign.notes.len(), 1);
    }

    #[test]
    fn other_files_are_refused() {
        for text in [
            "{}",
            "{\"a\": 1}",
            "{\"loss\": []}",
            "{\"epoch\": [1], \"loss\": [1, 2]}",
            "{\"loss\": [\"x\"]}",
            "{\"schema\": \"runner.history/1\"}",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
