//! The log of Hugging Face's `Trainer`: `log_history` of a `trainer_state.json`, or only that list.
//!
//! An entry has the training loss since the previous entry (`loss`) or the metrics of an evaluation (`eval_loss`,
//! `eval_accuracy`, …). Its `epoch` is the number of completed epochs, as a fraction. The last value of each epoch is used.
//! Speeds and the entry about the complete training at the end are skipped.

use serde_json::{Map, Value};

use crate::history::foreign::epochs::{self, Counting};
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::json::loose_json::{self, excerpt};
use crate::history::foreign::logged_values::{self, LoggedRow, LoggedValue};
use crate::history::foreign::names::Part;
use crate::history::foreign::points::Points;

/// The key of the list in a `trainer_state.json`.
pub const LOG: &str = "log_history";

/// Returns whether the entries of a list are from a `Trainer`.
pub fn is_trainer(entries: &[&Map<String, Value>]) -> bool {
    let is_mark = |key: &String| {
        key.starts_with("eval_") || matches!(&key[..], "learning_rate" | "grad_norm" | "train_runtime" | "total_flos")
    };
    let is_entry = |entry: &&&Map<String, Value>| entry.contains_key("step") && entry.contains_key("epoch");
    entries.iter().filter(is_entry).any(|entry| entry.keys().any(is_mark))
}

/// Reads the entries.
///
/// # Errors
/// If they contain no metric.
pub fn read(entries: &[Value]) -> anyhow::Result<Foreign> {
    let mut points = Points::default();
    let mut rows = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let Value::Object(entry) = entry else {
            points.skip(format!("entry {} is not an object: {}", place + 1, excerpt(entry)));
            continue;
        };
        if entry.contains_key("train_runtime") {
            continue; // the summary of the training
        }
        let Some(epoch) = entry.get("epoch").and_then(loose_json::number).and_then(epochs::valid) else {
            points.skip(format!("entry {} has no valid `epoch`", place + 1));
            continue;
        };
        let step = entry.get("step").and_then(Value::as_u64);
        let mut values = Vec::new();
        for (key, value) in entry.iter().filter(|(key, _)| is_metric(key)) {
            let (name, part) = match key.strip_prefix("eval_") {
                Some(name) => (name, Some(Part::Validation)),
                None => (key.as_str(), None),
            };
            match loose_json::number(value) {
                Some(value) => {
                    values.push(LoggedValue {
                        name: name.into(),
                        part,
                        epoch: Some(epoch),
                        step,
                        seconds: None,
                        value,
                    });
                }
                None if value.is_null() => {}
                None => points.skip(format!("entry {}: `{key}` is not a number: {}", place + 1, excerpt(value))),
            }
        }
        rows.push(LoggedRow { number: place + 1, epoch: Some(epoch), values });
    }
    logged_values::collect_rows(rows, "entry", Counting::Done, &mut points);
    points.into_foreign(Format::Trainer)
}

/// Returns whether a key is a metric or the learning rate.
fn is_metric(key: &str) -> bool {
    const OTHER: [&str; 6] = ["_runtime", "_per_second", "_time", "total_flos", "num_input_tokens_seen", "num_tokens"];
    !matches!(key, "epoch" | "step") && !OTHER.iter().any(|ending| key.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::json::{keras, records};
    use crate::history::foreign::logged_values::values_for_tests as values_of;

    const ENTRIES: &str = r#"[{"loss": 4.0, "grad_norm": 1.5, "learning_rate": 5e-05, "epoch": 0.33, "step": 1},
        {"loss": 2.0, "grad_norm": 1.25, "learning_rate": 4e-05, "epoch": 0.99, "step": 3},
        {"eval_loss": 3.0, "eval_accuracy": 0.5, "eval_rouge1": 0.25, "eval_runtime": 1.5, "eval_samples_per_second": 9.5,
         "epoch": 0.99, "step": 3},
        {"loss": 1.0, "grad_norm": 1.0, "learning_rate": 1e-05, "epoch": 1.98, "step": 6},
        {"eval_loss": NaN, "eval_accuracy": 0.75, "eval_rouge1": 0.5, "eval_runtime": 1.5, "epoch": 1.98, "step": 6},
        {"train_runtime": 12.0, "train_loss": 2.5, "total_flos": 1e12, "epoch": 1.98, "step": 6}]"#;

    #[track_caller]
    fn assert_is_read(foreign: &Foreign) {
        assert_eq!(foreign.format, Format::Trainer);
        let names: Vec<&String> = foreign.series.keys().collect();
        assert_eq!(names, ["loss", "lr", "val_loss", "val_acc", "grad_norm", "val_rouge1"]);
        assert_eq!(values_of(foreign, "loss"), [(1, 2.0), (2, 1.0)]);
        assert_eq!(values_of(foreign, "val_acc"), [(1, 0.5), (2, 0.75)]);
        assert!(values_of(foreign, "val_loss")[1].1.is_nan());
        let steps: Vec<_> = foreign.clock.iter().map(|(epoch, at)| (*epoch, at.step)).collect();
        assert_eq!(steps, [(1, Some(3)), (2, Some(6))]);
    }

    #[test]
    fn the_log_is_collected_by_epoch_in_its_file_and_alone() {
        let state = format!(r#"{{"best_metric": null, "epoch": 1.98, "global_step": 6, "log_history": {ENTRIES}}}"#);
        assert_is_read(&keras::read(state.as_bytes()).unwrap());
        assert_is_read(&records::read(ENTRIES.as_bytes()).unwrap());
    }

    #[test]
    fn evaluations_before_training_and_invalid_entries_are_skipped() {
        let text = br#"{"log_history": [{"eval_loss": 9.0, "epoch": 0, "step": 0}, 7, {"loss": 1.0, "step": 1},
            {"loss": "low", "epoch": 0.5, "step": 1}, {"loss": 2.0, "epoch": 1.0, "step": 2}]}"#;
        let foreign = keras::read(text).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 2.0)]);
        assert!(!foreign.series.contains_key("val_loss"));
        let notes = foreign.notes.join("; ");
        for note in [
            "entry 2 is not an object: `7`",
            "entry 3 has no valid `epoch`",
            "`loss` is not a number",
            "1 more skipped",
        ] {
            assert!(notes.contains(note), "{note} is not in {notes}");
        }
        assert!(keras::read(br#"{"log_history": []}"#).is_err());
    }
}
