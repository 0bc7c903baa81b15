//! Keras export: one JSON file per trial with `History.history`, as Python's `json.dump` writes it.
//!
//! `acc`, `val_acc` and `lr` get the Keras names `accuracy`, `val_accuracy` and `learning_rate`; other names are
//! unchanged. Non-finite values are a bare `NaN`, `Infinity` or `-Infinity`, which Python's `json.load` reads as
//! numbers.

use anyhow::Context;

use crate::export::files::{File, Trial};
use crate::history::number::Number;

/// Returns the file of a trial.
///
/// # Errors
/// When a name cannot be written as JSON.
pub fn file(trial: &Trial) -> anyhow::Result<File> {
    let mut lines = Vec::new();
    for (name, values) in &trial.history.history.series {
        let name = serde_json::to_string(keras_name(name)).context("failed to write a metric's name")?;
        let values: Vec<String> = values.iter().copied().map(number).collect();
        lines.push(format!("  {name}: [{}]", values.join(", ")));
    }
    let text = match &lines[..] {
        [] => "{}\n".to_owned(),
        lines => format!("{{\n{}\n}}\n", lines.join(",\n")),
    };
    Ok(File { path: format!("{}.json", trial.stem).into(), bytes: text.into_bytes() })
}

/// Returns Keras's name of a metric.
fn keras_name(ours: &str) -> &str {
    match ours {
        "acc" => "accuracy",
        "val_acc" => "val_accuracy",
        "lr" => "learning_rate",
        other => other,
    }
}

/// Returns a number as Python's `json.dump` writes it.
fn number(number: Number) -> String {
    match number.0 {
        value if value.is_finite() => serde_json::Value::from(value).to_string(),
        value if value.is_nan() => "NaN".to_owned(),
        value if value > 0.0 => "Infinity".to_owned(),
        _ => "-Infinity".to_owned(),
    }
}
