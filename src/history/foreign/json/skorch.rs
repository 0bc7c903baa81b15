//! skorch's `history.json`: a list with one object per epoch.
//!
//! The key `epoch` counts from 1. Without it, the position in the list is the epoch. `train_loss`, `valid_loss` and
//! `valid_acc` become `loss`, `val_loss` and `val_acc`, and `dur` becomes `seconds`. Flags such as `valid_loss_best` are
//! skipped. The number of batches becomes the step.

use serde_json::{Map, Value};

/// Returns whether the entries of a list are from skorch.
pub fn is_skorch(entries: &[&Map<String, Value>]) -> bool {
    entries.iter().any(|entry| ["batches", "train_batch_count", "dur"].iter().any(|mark| entry.contains_key(*mark)))
}

/// Returns the metric of a key, or `None` if it is not a metric.
pub fn metric(key: &str) -> Option<&str> {
    match key {
        "epoch" | "batches" => None,
        "dur" => Some("seconds"),
        key => Some(key).filter(|key| !key.ends_with("_batch_count")),
    }
}

/// Returns the number of training batches of an epoch.
pub fn batches(row: &Map<String, Value>) -> Option<u64> {
    let listed = row
        .get("batches")
        .and_then(Value::as_array)
        .map(|batches| batches.iter().filter(|batch| batch.get("train_loss").is_some()).count() as u64);
    row.get("train_batch_count").and_then(Value::as_u64).or(listed).filter(|&batches| batches > 0)
}

#[cfg(test)]
mod tests {
    use crate::history::foreign::foreign_history::Format;
    use crate::history::foreign::json::records::read;
    use crate::history::foreign::logged_values::values_for_tests as values_of;

    #[test]
    fn flags_and_batches_are_not_metrics() {
        let text = br#"[{"batches": [{"train_loss": 1.0}, {"train_loss": 0.5}, {"valid_loss": 0.5}], "epoch": 1,
            "dur": 0.5, "train_loss": 0.75, "train_loss_best": true, "valid_acc": Infinity, "event_lr": 0.1},
            {"batches": [{"train_loss": 1.0}], "epoch": 2, "dur": 0.25, "train_loss": null, "run": "one"}]"#;
        let foreign = read(text).unwrap();
        assert_eq!(foreign.format, Format::Skorch);
        assert_eq!(foreign.series.keys().collect::<Vec<_>>(), ["seconds", "loss", "val_acc", "lr"]);
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.75)]);
        assert_eq!(values_of(&foreign, "val_acc"), [(1, f64::INFINITY)]);
        let clock: Vec<_> = foreign.clock.iter().map(|(epoch, at)| (*epoch, at.step, at.seconds)).collect();
        assert_eq!(clock, [(1, Some(2), Some(0.5)), (2, Some(3), Some(0.75))]);
        assert_eq!(foreign.notes, ["entry 2: `run` is not a number: `\"one\"`"]);
    }

    #[test]
    fn huge_epochs_and_sums_are_skipped() {
        let text = br#"[{"epoch": 0, "train_loss": 1, "train_batch_count": 18446744073709551615},
            {"epoch": 18446744073709551615, "train_loss": 2, "train_batch_count": 1}]"#;
        let foreign = read(text).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.0)]);
        assert_eq!(foreign.notes, ["entry 2: invalid epoch: `18446744073709551615`"]);
        assert_eq!(foreign.clock.values().map(|at| at.step).collect::<Vec<_>>(), [Some(u64::MAX)]);
    }

    #[test]
    fn other_files_are_refused() {
        for text in ["[]", "[1, 2]", "[{}]", "[[]]", "[{\"epoch\": 1", "[{\"epoch\": 1}]"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
