//! A list of JSON objects: skorch's history, the log of Hugging Face's `Trainer`, or one row per epoch, as from pandas'
//! `to_json(orient="records")`.
//!
//! The key `epoch` is the epoch. If no entry has it, the position in the list is the epoch.

use anyhow::anyhow;
use serde_json::{Map, Value};

use crate::config::hint::Hint;
use crate::history::foreign::epochs::{self, Counting, Numbering, Row};
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::json::loose_json::{self, excerpt};
use crate::history::foreign::json::{skorch, trainer};
use crate::history::foreign::names;
use crate::history::foreign::points::Points;

/// The expected format, for hints.
const EXPECTED: &str = "a list must contain one object per epoch, with its metrics by name, as from skorch's \
    `net.history.to_file(path)` or pandas' `to_json(path, orient=\"records\")`";

/// Reads a list of epochs.
///
/// # Errors
/// If it is damaged or something else.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    let read = match loose_json::parse(text)? {
        Value::Array(all) => read_list(&all),
        _ => Err(anyhow!("it is not a list of epochs")),
    };
    read.map_err(|error| error.context(Hint(EXPECTED.to_owned())))
}

/// Returns the rows of a data frame as a list of objects, from pandas' `to_json` with `orient="split"` or `"table"`. `None`
/// for another object.
pub fn rows_of_frame(frame: &Map<String, Value>) -> Option<Vec<Value>> {
    let rows = frame.get("data")?.as_array()?;
    let Some(columns) = frame.get("columns") else {
        return (frame.contains_key("schema") && rows.iter().all(Value::is_object)).then(|| rows.clone());
    };
    let columns: Vec<&str> = columns.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    if columns.iter().any(|name| name.len() > names::LONGEST) {
        return None; // each row gets a copy
    }
    let named = |row: &Value| {
        let cells = columns.iter().zip(row.as_array()?);
        Some(Value::Object(cells.map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect()))
    };
    rows.iter().map(named).collect()
}

/// Reads the entries of a list.
///
/// # Errors
/// If it contains no metric.
pub fn read_list(all: &[Value]) -> anyhow::Result<Foreign> {
    let entries: Vec<&Map<String, Value>> = all.iter().filter_map(Value::as_object).collect();
    if entries.is_empty() {
        return Err(anyhow!("the list contains no epoch"));
    }
    if trainer::is_trainer(&entries) {
        return trainer::read(all);
    }
    let format = if skorch::is_skorch(&entries) { Format::Skorch } else { Format::Records };
    let mut points = Points::default();
    let has_epochs = entries.iter().any(|entry| entry.contains_key("epoch"));
    let epoch = |place: usize, entry: &Map<String, Value>| match has_epochs {
        true => entry.get("epoch").and_then(loose_json::number).and_then(epochs::valid),
        false => Some((place + 1) as f64),
    };
    let order: Vec<Row> = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| epoch(place, entry).map_or(Row::AfterAll, Row::Epoch))
        .collect();
    let (is_kept, note) = epochs::select_last_run(&order, |place| format!("entry {}", place + 1));
    points.notes.extend(note);
    let written = || {
        order.iter().zip(&is_kept).filter_map(|(row, is_kept)| match row {
            Row::Epoch(epoch) => Some(*epoch).filter(|_| *is_kept),
            Row::BeforeNext | Row::AfterAll => None,
        })
    };
    let numbering = Numbering::detect(written(), Counting::AsWritten);
    let mut steps = Some(0);
    for (place, (entry, is_kept)) in entries.iter().zip(&is_kept).enumerate() {
        let Row::Epoch(epoch) = order[place] else {
            let written = entry.get("epoch").map_or("nothing".to_owned(), excerpt);
            points.skip(format!("entry {}: invalid epoch: {written}", place + 1));
            continue;
        };
        let Some(epoch) = numbering.epoch(epoch).filter(|_| *is_kept) else { continue };
        add(entry, place, epoch, &mut points);
        if format == Format::Skorch {
            steps =
                steps.zip(skorch::batches(entry)).and_then(|(before, batches): (u64, u64)| before.checked_add(batches));
            if let Some(steps) = steps {
                points.clock.entry(epoch).or_default().step = Some(steps);
            }
        }
    }
    if numbering == Numbering::Fractions {
        points.ignore_repeats();
    }
    points.notes.extend(numbering.notes(written(), Counting::AsWritten));
    points.into_foreign(format)
}

/// Adds the metrics of an entry.
fn add(entry: &Map<String, Value>, place: usize, epoch: usize, points: &mut Points) {
    for (key, value) in entry {
        let Some(name) = skorch::metric(key).filter(|name| *name != "index") else { continue };
        match loose_json::number(value) {
            Some(value) => points.push(name, None, epoch, value),
            None if value.is_null() || value.is_boolean() => {}
            None => points.skip(format!("entry {}: `{key}` is not a number: {}", place + 1, excerpt(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::logged_values::values_for_tests as values_of;

    #[test]
    fn rows_of_a_frame_are_epochs_by_number_or_position() {
        let foreign = read(br#"[{"epoch": 2.0, "loss": 3.0}, {"epoch": 4.0, "loss": 1.0}, {"epoch": 6.0, "loss": 2}]"#);
        let foreign = foreign.unwrap();
        assert_eq!(foreign.format, Format::Records);
        assert_eq!(values_of(&foreign, "loss"), [(2, 3.0), (4, 1.0), (6, 2.0)]);
        assert_eq!(foreign.notes, ["its first epoch is 2"]);
        let without = read(br#"[{"loss": 3.0}, {"loss": null}, {"loss": 1.0}]"#).unwrap();
        assert_eq!(values_of(&without, "loss"), [(1, 3.0), (3, 1.0)]);
    }

    #[test]
    fn frames_of_any_orientation_are_read() {
        for text in [
            &br#"{"columns": ["epoch", "loss"], "index": [0, 1], "data": [[0.0, 2.0], [1.0, 1.0]]}"#[..],
            br#"{"schema": {"fields": []}, "data": [{"index": 0, "epoch": 0, "loss": 2}, {"index": 1, "epoch": 1, "loss": 1}]}"#,
        ] {
            let foreign = crate::history::foreign::json::keras::read(text).unwrap();
            assert_eq!((foreign.format, values_of(&foreign, "loss")), (Format::Records, vec![(1, 2.0), (2, 1.0)]));
        }
    }

    #[test]
    fn entries_of_two_runs_and_fractions_are_noticed() {
        let twice = read(br#"[{"epoch": 1, "loss": 3}, {"epoch": 2, "loss": 2}, {"epoch": 1, "loss": 5}]"#).unwrap();
        assert_eq!(values_of(&twice, "loss"), [(1, 5.0)]);
        assert!(twice.notes[0].contains("from 2 to 1 in entry 3: another run"), "{:?}", twice.notes);
        let halves = read(br#"[{"epoch": 0.5, "loss": 3}, {"epoch": 1.0, "loss": 2}]"#).unwrap();
        assert_eq!(values_of(&halves, "loss"), [(1, 2.0)]);
        assert!(halves.notes.iter().any(|note| note.contains("fractions")), "{:?}", halves.notes);
    }
}
