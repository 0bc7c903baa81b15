//! `History.history` of Keras as JSON: an object with a list for each metric.
//!
//! Epochs: a list's first value is that of epoch 1. Where the object has a list `epoch` beside them, it says the numbers,
//! counted from 0 if 0 is among them. The object may stand under the key `history` of another one, as in
//! `vars(history)`, whose list `epoch` counts from 0. A metric may be an object from row numbers to values, as pandas'
//! `to_json` writes it. A list that is shorter or longer than that of the loss is left out: of which epochs its values
//! are, nothing says (with `validation_freq=2`, Keras's lists of validation are half as long).

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use serde_json::Value;

use crate::config::hint::Hint;
use crate::history::foreign::epochs::{self, Counting, Numbering, Row};
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::json::loose_json::{self, brief};
use crate::history::foreign::json::{records, trainer};
use crate::history::foreign::names;
use crate::history::foreign::points::Points;

const FORM: &str = "a history of Keras is an object with a list for each metric: `json.dump(history.history, file)`";

/// Reads such a history, or another one whose JSON is an object.
///
/// # Errors
/// When it is damaged, or something else.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    read_value(&loose_json::read(text)?).map_err(|error| error.context(Hint(FORM.to_owned())))
}

fn read_value(value: &Value) -> anyhow::Result<Foreign> {
    let Value::Object(whole) = value else { bail!("it is no history") };
    if whole.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with("runner.")) {
        return Err(anyhow!("it is a history of runner's own, and not of another program"));
    }
    if let Some(Value::Array(entries)) = whole.get(trainer::LOG) {
        return trainer::read(entries);
    }
    if let Some(rows) = records::of_frame(whole) {
        return records::read_list(&rows);
    }
    let (mut inner, mut outer_epochs) = (whole, None);
    while let Some(Value::Object(within)) = inner.get("history") {
        outer_epochs = inner.get("epoch").and_then(Value::as_array);
        inner = within;
    }
    let mut points = Points::default();
    let (named, unnamed): (Vec<_>, Vec<_>) = inner.iter().partition(|(name, _)| name.len() <= names::LONGEST);
    unnamed.iter().for_each(|_| points.leave_out("a metric has too long a name".to_owned()));
    let columns: Vec<(&str, Column)> = named
        .into_iter()
        .filter(|(name, _)| *name != "epoch")
        .filter_map(|(name, column)| Some((name.as_str(), Column::of(column)?)))
        .filter(|(_, column)| !column.values.is_empty())
        .collect();
    let own = inner.get("epoch").and_then(Column::of).map(|column| (column, Counting::AsWritten));
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
        rows.iter().map(|&row| epoch_of(row).and_then(epochs::written).map_or(Row::AfterAll, Row::Epoch)).collect();
    let (is_kept, note) = epochs::last_run(&order, |place| format!("value {}", rows[place] + 1));
    points.notes.extend(note);
    let mut kept: Vec<(usize, f64)> = Vec::new();
    for ((row, order), is_kept) in rows.iter().zip(order).zip(is_kept) {
        match order {
            Row::Epoch(epoch) if is_kept => kept.push((*row, epoch)),
            Row::Epoch(_) => {}
            Row::BeforeNext | Row::AfterAll => {
                let written = numbers.as_ref().and_then(|(numbers, _)| numbers.at(*row));
                let written = written.map_or("nothing".to_owned(), brief);
                points.leave_out(format!("value {}: its epoch is no number of one: {written}", row + 1));
            }
        }
    }
    let counting = numbers.as_ref().map_or(Counting::AsWritten, |(_, counting)| *counting);
    let numbering = Numbering::of(kept.iter().map(|(_, epoch)| *epoch), counting);
    for (name, column) in columns {
        for (row, value) in column.values {
            let Ok(place) = kept.binary_search_by_key(&row, |(row, _)| *row) else { continue };
            match (numbering.epoch(kept[place].1), loose_json::number(value)) {
                (Some(epoch), Some(value)) => points.push(name, None, epoch, value),
                (None, Some(_)) => points.leave_out(format!("`{name}` in epoch 0, before training")),
                (_, None) if value.is_null() => {} // as pandas writes what is absent
                (_, None) => points.leave_out(format!("`{name}`, value {}, is no number: {}", row + 1, brief(value))),
            }
        }
    }
    if numbering == Numbering::Fractions {
        points.expect_several_in_an_epoch();
    }
    points.notes.extend(numbering.notes(kept.iter().map(|(_, epoch)| *epoch), counting));
    points.into_foreign(Format::Keras)
}

/// The values of a metric, each with its row, counted from 0.
struct Column<'v> {
    values: Vec<(usize, &'v Value)>,
    /// Whether the file says the rows, as pandas' `to_json` does.
    is_by_row: bool,
}

impl<'v> Column<'v> {
    /// `None` of what is no column.
    fn of(column: &'v Value) -> Option<Column<'v>> {
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

    /// The value in a row.
    fn at(&self, row: usize) -> Option<&'v Value> {
        let place = self.values.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        Some(self.values[place].1)
    }
}

/// How many epochs there are: as many as the training loss has values, or else the most frequent length of a list, of
/// several the greatest.
fn usual_length(columns: &[(&str, Column)]) -> usize {
    let of_loss = columns.iter().find(|(name, _)| names::ours(name, None) == "loss");
    if let Some((_, loss)) = of_loss {
        return loss.values.len();
    }
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    columns.iter().for_each(|(_, column)| *times.entry(column.values.len()).or_default() += 1);
    times.into_iter().max_by_key(|(length, times)| (*times, *length)).map_or(0, |(length, _)| length)
}

/// Why a list is left out.
fn other_length(name: &str, found: usize, epochs: usize) -> String {
    let values = if found == 1 { "value" } else { "values" };
    let of = if epochs == 1 { "epoch" } else { "epochs" };
    format!(
        "`{name}` is left out: it has {found} {values} for {epochs} {of}, and nothing says which epochs they are of (Keras's \
         `CSVLogger` writes the epochs beside them)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::logged::values_for_tests as values_of;

    #[test]
    fn a_list_that_is_shorter_or_longer_than_the_loss_is_left_out_with_a_note() {
        let foreign =
            read(br#"{"history": {"batch": [1, 2, 3, 4, 5, 6, 7], "loss": [0.5, 0.25, NaN], "val_accuracy": [0.5]}}"#);
        let foreign = foreign.unwrap();
        assert_eq!(values_of(&foreign, "loss")[..2], [(1, 0.5), (2, 0.25)]);
        assert!(values_of(&foreign, "loss")[2].1.is_nan());
        assert_eq!(foreign.series.len(), 1);
        assert!(
            foreign.notes[0].starts_with("`batch` is left out: it has 7 values for 3 epochs"),
            "{:?}",
            foreign.notes
        );
        assert!(foreign.notes[1].starts_with("`val_accuracy` is left out: it has 1 value for 3 epochs"));
        // of which epochs the loss's are is said, and of the other list's it is not
        let said = read(br#"{"epoch": [0, 1, 2, 3], "val_loss": [1, 2], "loss": [4, 3, 2, 1]}"#).unwrap();
        assert_eq!(said.series.keys().collect::<Vec<_>>(), ["loss"]);
    }

    #[test]
    fn epochs_that_are_whole_floats_or_fractions_are_epochs() {
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
    fn histories_one_behind_the_other_are_two_runs() {
        let twice = read(br#"{"epoch": [0, 1, 2, 0, 1], "loss": [5, 4, 3, 7, 6]}"#).unwrap();
        assert_eq!(values_of(&twice, "loss"), [(1, 7.0), (2, 6.0)]);
        assert!(
            twice.notes[0].contains("go back from 2 to 0 in value 4: another run begins there"),
            "{:?}",
            twice.notes
        );
    }

    #[test]
    fn what_is_no_number_is_left_out_and_told() {
        let foreign = read(br#"{"loss": ["0.5", "low", null, 0.125, [], {}, false]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.5), (4, 0.125)]);
        assert_eq!(foreign.notes[0], "`loss`, value 2, is no number: `\"low\"`");
        assert_eq!(foreign.notes[3..], ["1 more like these is left out"]);
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
        assert!(short.notes[0].starts_with("`loss` is left out: it has 3 values for 2 epochs"), "{:?}", short.notes);
    }

    #[test]
    fn numbers_without_a_successor_are_no_epochs() {
        let foreign = read(br#"{"loss": [1, 2], "epoch": [0, 18446744073709551615]}"#).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.0)]);
        assert_eq!(foreign.notes, ["value 2: its epoch is no number of one: `18446744073709551615`"]);
    }

    #[test]
    fn two_names_for_the_same_do_not_hide_each_other() {
        let foreign = read(br#"{"acc": [0.5], "accuracy": [0.25]}"#).unwrap();
        assert_eq!((values_of(&foreign, "acc"), values_of(&foreign, "accuracy")), (vec![(1, 0.5)], vec![(1, 0.25)]));
        assert_eq!(foreign.notes.len(), 1);
    }

    #[test]
    fn what_is_no_history_is_refused() {
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
