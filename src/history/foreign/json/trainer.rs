//! The log of Hugging Face's `Trainer`: `log_history` of a `trainer_state.json`, or that list alone.
//!
//! An entry is what was logged at a step: the training loss since the entry before (`loss`), or an evaluation (`eval_loss`,
//! `eval_accuracy`, …), each with an `epoch` that says how many epochs of training are done, as a fraction. The last
//! value of each epoch counts. What says how fast it went, and the entry about the whole training at the end, are left
//! out.

use serde_json::{Map, Value};

use crate::history::foreign::epochs::{self, Counting};
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::json::loose_json::{self, brief};
use crate::history::foreign::logged::{self, Logged, LoggedRow};
use crate::history::foreign::names::Part;
use crate::history::foreign::points::Points;

/// The key of a `trainer_state.json` that the list stands under.
pub const LOG: &str = "log_history";

/// Whether entries of a list are those of a `Trainer`.
pub fn is_one(entries: &[&Map<String, Value>]) -> bool {
    let is_mark = |key: &String| {
        key.starts_with("eval_") || matches!(&key[..], "learning_rate" | "grad_norm" | "train_runtime" | "total_flos")
    };
    let is_entry = |entry: &&&Map<String, Value>| entry.contains_key("step") && entry.contains_key("epoch");
    entries.iter().filter(is_entry).any(|entry| entry.keys().any(is_mark))
}

/// Reads the entries.
///
/// # Errors
/// When they hold no value of any metric.
pub fn read(entries: &[Value]) -> anyhow::Result<Foreign> {
    let mut points = Points::default();
    let mut rows = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let Value::Object(entry) = entry else {
            points.leave_out(format!("entry {} is no object: {}", place + 1, brief(entry)));
            continue;
        };
        if entry.contains_key("train_runtime") {
            continue; // of the whole training
        }
        let Some(epoch) = entry.get("epoch").and_then(loose_json::number).and_then(epochs::written) else {
            points.leave_out(format!("entry {} has no `epoch` that is a number", place + 1));
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
                    values.push(Logged { name: name.into(), part, epoch: Some(epoch), step, seconds: None, value });
                }
                None if value.is_null() => {}
                None => points.leave_out(format!("entry {}: `{key}` is no number: {}", place + 1, brief(value))),
            }
        }
        rows.push(LoggedRow { number: place + 1, epoch: Some(epoch), values });
    }
    logged::gather_rows(rows, "entry", Counting::Done, &mut points);
    points.into_foreign(Format::Trainer)
}

/// Whether a key is of a metric or the learning rate, and not of the place in training, the time or the work done.
fn is_metric(key: &str) -> bool {
    const OTHER: [&str; 6] = ["_runtime", "_per_second", "_time", "total_flos", "num_input_tokens_seen", "num_tokens"];
    !matches!(key, "epoch" | "step") && !OTHER.iter().any(|ending| key.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::json::{keras, records};
    use crate::history::foreign::logged::values_for_tests as values_of;

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
    fn the_log_is_gathered_by_epoch_in_its_file_and_alone() {
        let state = format!(r#"{{"best_metric": null, "epoch": 1.98, "global_step": 6, "log_history": {ENTRIES}}}"#);
        assert_is_read(&keras::read(state.as_bytes()).unwrap());
        assert_is_read(&records::read(ENTRIES.as_bytes()).unwrap());
    }

    #[test]
    fn an_evaluation_before_training_and_what_is_no_entry_are_left_out() {
        let text = br#"{"log_history": [{"eval_loss": 9.0, "epoch": 0, "step": 0}, 7, {"loss": 1.0, "step": 1},
            {"loss": "low", "epoch": 0.5, "step": 1}, {"loss": 2.0, "epoch": 1.0, "step": 2}]}"#;
        let foreign = keras::read(text).unwrap();
        assert_eq!(values_of(&foreign, "loss"), [(1, 2.0)]);
        assert!(!foreign.series.contains_key("val_loss"));
        let notes = foreign.notes.join("; ");
        for said in ["entry 2 is no object: `7`", "entry 3 has no `epoch`", "`loss` is no number", "1 more like these"]
        {
            assert!(notes.contains(said), "{said} is not in {notes}");
        }
        assert!(keras::read(br#"{"log_history": []}"#).is_err());
    }
}
