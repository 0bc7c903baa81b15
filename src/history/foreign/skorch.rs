//! `history.json` of skorch: a list with an object for each epoch.
//!
//! Epochs: as their `epoch` says, which skorch counts from 1; without one, by their place. `train_loss`, `valid_loss`
//! and `valid_acc` are `loss`, `val_loss` and `val_acc`, and `dur` is `seconds`. The marks of the best epoch so far
//! (`valid_loss_best`) and other yes-or-no entries are left out; of the batches, their number is kept as the clock's step.

use anyhow::{anyhow, bail};
use serde_json::{Map, Value};

use crate::hint::Hint;
use crate::history::foreign::keras::brief;
use crate::history::foreign::points::{Points, shift};
use crate::history::foreign::{Foreign, Format, loose_json};

const FORM: &str = "a history of skorch is a list with an object for each epoch: `net.history.to_file(path)`";

/// Reads such a history.
///
/// # Errors
/// When it is damaged, or something else.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    of(&loose_json::read(text)?).map_err(|error| error.context(Hint(FORM.to_owned())))
}

fn of(value: &Value) -> anyhow::Result<Foreign> {
    let Value::Array(rows) = value else { bail!("it is no list of epochs") };
    let rows: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
    if rows.is_empty() {
        return Err(anyhow!("it is a list without an epoch"));
    }
    let number = |row: &Map<String, Value>| row.get("epoch").and_then(Value::as_u64);
    let shift = shift(rows.iter().filter_map(|row| number(row)));
    let (mut points, mut steps) = (Points::default(), Some(0));
    for (place, row) in rows.into_iter().enumerate() {
        let numbered = number(row).and_then(|epoch| usize::try_from(epoch.checked_add(shift)?).ok());
        let epoch = numbered.unwrap_or(place + 1);
        let is_metric = |name: &str| !matches!(name, "epoch" | "batches") && !name.ends_with("_batch_count");
        for (name, value) in row.iter().filter(|(name, _)| is_metric(name)) {
            match loose_json::number(value) {
                Some(value) => points.push(if name == "dur" { "seconds" } else { name }, None, epoch, value),
                None if value.is_null() || value.is_boolean() => {}
                None => points.leave_out(format!("`{name}` in epoch {epoch} is no number: {}", brief(value))),
            }
        }
        steps = steps.zip(batches(row)).and_then(|(before, batches): (u64, u64)| before.checked_add(batches));
        if let Some(steps) = steps {
            points.clock.entry(epoch).or_default().step = Some(steps);
        }
    }
    points.into_foreign(Format::Skorch)
}

/// How many batches were trained on in an epoch.
fn batches(row: &Map<String, Value>) -> Option<u64> {
    let listed = row
        .get("batches")
        .and_then(Value::as_array)
        .map(|batches| batches.iter().filter(|batch| batch.get("train_loss").is_some()).count() as u64);
    row.get("train_batch_count").and_then(Value::as_u64).or(listed).filter(|&batches| batches > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::logged::values_for_tests as values_of;

    #[test]
    fn marks_and_batches_are_no_metrics() {
        let text = br#"[{"batches": [{"train_loss": 1.0}, {"train_loss": 0.5}, {"valid_loss": 0.5}], "epoch": 1,
            "dur": 0.5, "train_loss": 0.75, "train_loss_best": true, "valid_acc": Infinity, "event_lr": 0.1},
            {"batches": [{"train_loss": 1.0}], "epoch": 2, "dur": 0.25, "train_loss": null, "run": "one"}]"#;
        let foreign = read(text).unwrap();
        assert_eq!(foreign.series.keys().collect::<Vec<_>>(), ["seconds", "loss", "val_acc", "lr"]);
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.75)]);
        assert_eq!(values_of(&foreign, "val_acc"), [(1, f64::INFINITY)]);
        let clock: Vec<_> = foreign.clock.iter().map(|(epoch, at)| (*epoch, at.step, at.seconds)).collect();
        assert_eq!(clock, [(1, Some(2), Some(0.5)), (2, Some(3), Some(0.75))]);
        assert_eq!(foreign.notes, ["`run` in epoch 2 is no number: `\"one\"`"]);
    }

    #[test]
    fn numbers_without_a_successor_are_no_epochs_and_no_sums() {
        let text = br#"[{"epoch": 0, "train_loss": 1, "train_batch_count": 18446744073709551615},
            {"epoch": 18446744073709551615, "train_loss": 2, "train_batch_count": 1}]"#;
        let foreign = read(text).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.0), (2, 2.0)]);
        assert_eq!(foreign.clock.values().map(|at| at.step).collect::<Vec<_>>(), [Some(u64::MAX)]);
    }

    #[test]
    fn what_is_no_history_is_refused() {
        for text in ["[]", "[1, 2]", "[{}]", "[[]]", "[{\"epoch\": 1", "[{\"epoch\": 1}]"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
