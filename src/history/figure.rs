//! Figures of a history by their names.
//!
//! The names are paths: `first.loss`, `last.val_acc`, `epoch.11.loss`, `best.val_acc` (in the best epoch),
//! `best.epoch`, `min.val_loss`, `max.val_acc` (over all epochs), `test.acc`, `diagnosis.gap`, `learned.0.bias.0`,
//! `learned.prediction.3.0` (of the fourth training row, the first output); and `status`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::history::number::Number;

/// What stands between a variant's name and a figure's: `relu/last.loss`.
pub const VARIANT_SEPARATOR: char = '/';

/// The figure that tells how a trial ended.
pub const STATUS: &str = "status";

/// What a prediction is called among the things that a tiny network has learned.
pub const PREDICTION: &str = "prediction";

/// A figure or a word of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Found {
    /// A figure.
    Number(Number),
    /// A word, such as a verdict.
    Word(String),
}

/// The figure of this name, when the history has one.
pub fn figure(history: &History, name: &str) -> Option<Found> {
    let number = |value: f64| Some(Found::Number(Number(value)));
    let curves = &history.history;
    let over_epochs = |metric: &str, better: fn(f64, f64) -> f64| {
        curves.metric(metric)?.into_iter().reduce(better).map(|value| Found::Number(Number(value)))
    };
    if name == STATUS {
        return serde_json::from_value(serde_json::to_value(history.status).ok()?).ok();
    }
    let (group, rest) = name.split_once('.')?;
    match group {
        "first" => number(curves.at(*curves.epoch.first()?, rest)?),
        "last" => number(curves.at(*curves.epoch.last()?, rest)?),
        "epoch" => {
            let (epoch, metric) = rest.split_once('.')?;
            number(curves.at(epoch.parse().ok()?, metric)?)
        }
        "min" => over_epochs(rest, f64::min),
        "max" => over_epochs(rest, f64::max),
        "learned" => {
            let learned = history.learned.as_ref()?;
            let (part, index) = rest.rsplit_once('.')?;
            let index: usize = index.parse().ok()?;
            let values = match part.split_once('.') {
                Some((PREDICTION, row)) => &learned.predictions.get(row.parse::<usize>().ok()?)?.output,
                _ => learned.parameters.get(part)?,
            };
            values.get(index).map(|value| Found::Number(*value))
        }
        "best" | "test" | "diagnosis" | "tree" => {
            let json = match group {
                "tree" => serde_json::to_value(history.tree.as_ref()?),
                "best" => serde_json::to_value(history.best.as_ref()?),
                "test" => serde_json::to_value(history.test.as_ref()?),
                _ => serde_json::to_value(history.diagnosis.as_ref()?),
            };
            let value = json.ok()?.get(rest)?.clone();
            serde_json::from_value(value).ok()
        }
        _ => None,
    }
}

/// The figure of this name where it is a number.
pub fn number(history: &History, name: &str) -> Option<f64> {
    match figure(history, name)? {
        Found::Number(Number(value)) => Some(value),
        Found::Word(_) => None,
    }
}
