//! Looking up a figure of a history by its name, and holding it against what an experiment expects.
//!
//! The names are paths: `first.loss`, `last.val_acc`, `epoch.11.loss`, `best.val_acc` (in the best epoch),
//! `best.epoch`, `min.val_loss`, `max.val_acc` (over all epochs), `test.acc`, `diagnosis.gap`, `learned.0.bias.0`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::history::number::Number;

/// One thing that an experiment is expected to show: an `[[expect]]` table of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The figure's name.
    pub value: String,
    /// It is at least this.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// It is at most this.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// It is this, give or take `within`.
    #[serde(default)]
    pub near: Option<f64>,
    /// How far from `near` it may be.
    #[serde(default)]
    pub within: Option<f64>,
    /// It is greater than this other figure; `relu/last.loss` is a figure of the variant `relu`, with the same seed
    /// and fold.
    #[serde(default)]
    pub above: Option<String>,
    /// It is greater than so many times that other figure.
    #[serde(default)]
    pub times: Option<f64>,
    /// It is this word.
    #[serde(default)]
    pub is: Option<String>,
    /// It holds for this seed alone, because the figure is exact.
    #[serde(default)]
    pub seed: Option<i64>,
    /// It speaks of this variant alone.
    #[serde(default)]
    pub variant: Option<String>,
}

/// What stands between a variant's name and a figure's.
pub const VARIANT_SEPARATOR: char = '/';

/// An expectation, and what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// The figure's name.
    pub value: String,
    /// What was expected, in words.
    pub expected: String,
    /// The variant that the expectation speaks of, when it speaks of one alone.
    pub variant: Option<String>,
    /// What came; absent when the run has no such figure.
    pub found: Option<Found>,
    /// Whether it is as expected.
    pub met: bool,
}

/// A figure or a word of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Found {
    /// A figure.
    Number(Number),
    /// A word, such as a verdict.
    Word(String),
}

impl Expectation {
    /// Whether it speaks of this trial.
    pub fn concerns(&self, trial: &History) -> bool {
        self.seed.is_none_or(|only| only == trial.seed)
            && self.variant.as_ref().is_none_or(|only| *only == trial.variant)
    }

    /// What is expected, in words.
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.at_least.map(|bound| format!("≥ {bound}")));
        parts.extend(self.at_most.map(|bound| format!("≤ {bound}")));
        parts.extend(self.near.map(|near| format!("{near} ± {}", self.within.unwrap_or_default())));
        parts.extend(self.above.as_ref().map(|other| match self.times {
            Some(times) => format!("> {times} × {other}"),
            None => format!("> {other}"),
        }));
        parts.extend(self.is.clone());
        parts.join(", ")
    }

    /// Holds the expectation against a history; `all` are those of the whole study, for comparisons between variants.
    pub fn verify(&self, history: &History, all: &[History]) -> Verified {
        let found = figure(history, &self.value);
        let met = match &found {
            Some(Found::Number(Number(value))) => self.is.is_none() && self.holds_for(*value, history, all),
            Some(Found::Word(word)) => self.is.as_ref() == Some(word),
            None => false,
        };
        Verified { value: self.value.clone(), expected: self.in_words(), variant: self.variant.clone(), found, met }
    }

    fn holds_for(&self, value: f64, history: &History, all: &[History]) -> bool {
        let other = |name: &String| {
            let other = match name.split_once(VARIANT_SEPARATOR) {
                None => figure(history, name),
                Some((variant, name)) => all
                    .iter()
                    .find(|h| h.variant == variant && h.seed == history.seed && h.fold == history.fold)
                    .and_then(|other| figure(other, name)),
            };
            matches!(other, Some(Found::Number(Number(other))) if value > self.times.unwrap_or(1.0) * other)
        };
        // comparisons with NaN are false, so a figure that is not a number meets nothing
        self.at_least.is_none_or(|bound| value >= bound)
            && self.at_most.is_none_or(|bound| value <= bound)
            && self.near.is_none_or(|near| (value - near).abs() <= self.within.unwrap_or_default())
            && self.above.as_ref().is_none_or(other)
    }
}

/// The figure of this name, when the history has one.
pub fn figure(history: &History, name: &str) -> Option<Found> {
    let number = |value: f64| Some(Found::Number(Number(value)));
    let curves = &history.history;
    let over_epochs = |metric: &str, better: fn(f64, f64) -> f64| {
        curves.metric(metric)?.into_iter().reduce(better).map(|value| Found::Number(Number(value)))
    };
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
            let (parameter, index) = rest.rsplit_once('.')?;
            let values = history.learned.as_ref()?.parameters.get(parameter)?;
            Some(Found::Number(*values.get(index.parse::<usize>().ok()?)?))
        }
        "best" | "test" | "diagnosis" => {
            let json = match group {
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
