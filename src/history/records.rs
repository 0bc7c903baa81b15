//! Records in a history: how a trial ended, what it ran on, its data, network and best epoch, and what it has learned.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;
use crate::history::positive::PositiveClass;
use crate::history::resampling::ResampleRecord;

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All epochs were trained.
    Completed,
    /// Early stopping ended it.
    EarlyStopped,
    /// The loss left the finite numbers.
    Diverged,
    /// It was stopped from outside; what was completed is kept.
    Interrupted,
}

impl Status {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Status::Completed => "completed",
            Status::EarlyStopped => "early stopped",
            Status::Diverged => "diverged",
            Status::Interrupted => "interrupted",
        }
    }
}

/// What a trial ran on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Version of runner.
    pub runner: String,
    /// The commit that it was built from; `+` means with changes.
    pub commit: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// How many CPU threads could be used at most; training chooses by the size of its work.
    pub threads: usize,
    /// Operating system and processor architecture.
    pub os: String,
    /// How many replicas were trained in one stack.
    pub replicas: usize,
    /// What a network's products were computed in: `float32`, or `tf32` on a GPU that was told to (`--tf32`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Whether libtorch used only algorithms that give the same figures each time (`--deterministic`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deterministic: Option<bool>,
    /// What the processor is called, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
}

/// What a trial was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataRecord {
    /// The data set's name.
    pub name: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// How many rows each part has.
    pub rows: RowCounts,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// How rows were resampled, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resample: Option<ResampleRecord>,
    /// Of two classes, the one that precision, recall, F1, AP, ROC AUC, the threshold and `pos_weight` are about; the second
    /// one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<PositiveClass>,
}

impl DataRecord {
    /// The number of the positive class; histories that do not state it are about the second of two classes.
    pub fn positive_index(&self) -> usize {
        usize::from(self.positive.as_ref().is_none_or(|positive| positive.index != 0))
    }

    /// The name of the positive class; `None` where there are not two classes.
    pub fn positive_name(&self) -> Option<&str> {
        let [first, second] = &self.classes[..] else { return None };
        Some(if self.positive_index() == 0 { first } else { second })
    }

    /// The positive class in words; `None` where there are not two classes.
    pub fn positive_in_words(&self) -> Option<String> {
        let name = self.positive_name()?;
        Some(self.positive.as_ref().map_or_else(|| format!("`{name}`"), PositiveClass::in_words))
    }
}

/// How many rows each part of a data set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowCounts {
    /// Rows to train on.
    pub train: usize,
    /// Rows to choose by.
    pub validation: usize,
    /// Rows to test on.
    pub test: usize,
}

/// A network in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkRecord {
    /// The layers in order; a layer's number is its place in `nn.Sequential`.
    pub layers: Vec<LayerRecord>,
    /// The number of trainable parameters.
    pub parameters: usize,
}

/// A layer in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayerRecord {
    /// Its name in `state_dict`: its number.
    pub name: String,
    /// `linear`, `relu`, …
    pub kind: String,
    /// The shape of a row behind it.
    pub output: Vec<i64>,
    /// The number of its trainable parameters.
    pub parameters: usize,
}

/// The best epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Best {
    /// Its number, from 1.
    pub epoch: usize,
    /// The metric that it is best by.
    pub monitor: String,
    /// All metrics in that epoch.
    #[serde(flatten)]
    pub metrics: IndexMap<String, Number>,
}

/// What a tiny network has learned, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Learned {
    /// Every parameter by its name in `state_dict`, values in row-major order.
    pub parameters: IndexMap<String, Vec<Number>>,
    /// What the network makes of each training row.
    pub predictions: Vec<Prediction>,
}

/// What the network makes of one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// The row's features.
    pub input: Vec<Number>,
    /// What is true of the row: its class, its labels, or its values.
    pub target: Vec<Number>,
    /// The network's output.
    pub output: Vec<Number>,
}

/// A figure that a walkthrough reports, and this trial's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beside {
    /// The figure's name.
    pub value: String,
    /// What they report.
    pub theirs: f64,
    /// What came here; absent when the trial has not available.
    pub ours: Option<Number>,
    /// Whether their run can be repeated to the last digit, with the first of the experiment's seeds.
    pub exact: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::positive::ChosenBy;
    use crate::history::trial_history::trial_for_tests;

    #[test]
    fn a_history_that_does_not_state_it_is_about_the_second_class() {
        let mut data = trial_for_tests("a", 0, 0.5).data;
        assert_eq!((data.positive_index(), data.positive_name()), (1, None));
        data.classes = vec!["fraud".to_owned(), "legit".to_owned()];
        let old = serde_json::to_value(&data).unwrap();
        assert_eq!(old.get("positive"), None);
        let read: DataRecord = serde_json::from_value(old).unwrap();
        assert_eq!((read.positive_index(), read.positive_in_words().unwrap()), (1, "`legit`".to_owned()));
        data.positive = Some(PositiveClass { name: "fraud".to_owned(), index: 0, chosen: ChosenBy::Rarer });
        let read: DataRecord = serde_json::from_value(serde_json::to_value(&data).unwrap()).unwrap();
        assert_eq!((read.positive_index(), read.positive_name()), (0, Some("fraud")));
        assert_eq!(read.positive_in_words().unwrap(), "`fraud` (rarer than a third of the rows)");
    }
}
