//! Fields of a history: status, environment, data, network, best epoch, learned parameters and reference values.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;
use crate::history::positive_class::PositiveClass;
use crate::history::resampling::ResampleRecord;

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All epochs were trained.
    Completed,
    /// Early stopping ended the training.
    EarlyStopped,
    /// Halving dropped the trial at a rung, because others were better. The epochs up to the rung are kept.
    Dropped,
    /// The loss or a weight became NaN or infinite.
    Diverged,
    /// A signal stopped the training. The completed epochs are kept.
    Interrupted,
    /// The time limit of the run stopped the training. The completed epochs are kept, and their weights are tested.
    TimeLimit,
}

impl Status {
    /// Returns the status as shown in messages: `early stopped`.
    pub fn word(self) -> &'static str {
        match self {
            Status::Completed => "completed",
            Status::EarlyStopped => "early stopped",
            Status::Dropped => "dropped",
            Status::Diverged => "diverged",
            Status::Interrupted => "interrupted",
            Status::TimeLimit => "time limit",
        }
    }

    /// Returns whether the trial was stopped from outside, so that resuming the run continues it.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Status::Interrupted | Status::TimeLimit)
    }
}

/// Software and hardware that a trial ran on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Version of runner.
    pub runner: String,
    /// Git commit of the build. A `+` at the end means uncommitted changes.
    pub commit: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// Device: `cpu`, `cuda:0`.
    pub device: String,
    /// Maximum number of CPU threads. Small networks are trained with fewer.
    pub threads: usize,
    /// Operating system and processor architecture.
    pub os: String,
    /// Number of replicas in the stack.
    pub replicas: usize,
    /// Precision of the network's layers, by `--precision`: `float32`, `tf32` (only on a GPU) or `bf16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Whether libtorch used deterministic algorithms only (`--deterministic`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deterministic: Option<bool>,
    /// Name of the processor, if the operating system reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
}

/// The data of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataRecord {
    /// Name of the data set.
    pub name: String,
    /// SHA-256 of its files.
    pub sha256: String,
    /// Number of rows in each part.
    pub rows: RowCounts,
    /// Names of the classes, or of the target columns.
    pub classes: Vec<String>,
    /// The resampling of the rows, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resample: Option<ResampleRecord>,
    /// With two classes, the class that precision, recall, F1, AP, ROC AUC, the threshold and `pos_weight` are about. If it
    /// is missing, it is the second class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<PositiveClass>,
}

impl DataRecord {
    /// Returns the index of the positive class: 1 if the history does not say which class is the positive one.
    pub fn positive_index(&self) -> usize {
        usize::from(self.positive.as_ref().is_none_or(|positive| positive.index != 0))
    }

    /// Returns the name of the positive class, or `None` unless there are two classes.
    pub fn positive_name(&self) -> Option<&str> {
        let [first, second] = &self.classes[..] else { return None };
        Some(if self.positive_index() == 0 { first } else { second })
    }

    /// Returns the positive class and why it is the positive one, or `None` unless there are two classes.
    pub fn describe_positive(&self) -> Option<String> {
        let name = self.positive_name()?;
        Some(self.positive.as_ref().map_or_else(|| format!("`{name}`"), PositiveClass::describe))
    }
}

/// Number of rows in each part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowCounts {
    /// Training rows.
    pub train: usize,
    /// Validation rows.
    pub validation: usize,
    /// Test rows.
    pub test: usize,
}

/// Layers and size of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkRecord {
    /// The layers in order, numbered as in `nn.Sequential`.
    pub layers: Vec<LayerRecord>,
    /// Number of trainable parameters.
    pub parameters: usize,
}

/// Shape and size of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayerRecord {
    /// Its name in the `state_dict`: its number.
    pub name: String,
    /// Type of the layer: `linear`, `relu`, …
    pub kind: String,
    /// Shape of the output for one row.
    #[serde(rename = "output_shape", alias = "output")]
    pub output: Vec<i64>,
    /// Number of trainable parameters.
    pub parameters: usize,
}

/// A module written in PyTorch that a trial used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleRecord {
    /// Key of the setting that names it: `train.loss.torchscript`.
    pub key: String,
    /// Path of its TorchScript file, as in the settings.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The best epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Best {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// The metric that decides which epoch is the best.
    pub monitor: String,
    /// All metrics of the epoch.
    #[serde(flatten)]
    pub metrics: IndexMap<String, Number>,
}

/// All parameters and predictions of a tiny network after training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Learned {
    /// The parameters by their name in the `state_dict`, values in row-major order.
    pub parameters: IndexMap<String, Vec<Number>>,
    /// The predictions for the training rows.
    pub predictions: Vec<Prediction>,
}

/// The prediction for one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// Features of the row.
    pub input: Vec<Number>,
    /// Target of the row: its class, labels or values.
    pub target: Vec<Number>,
    /// Output of the network.
    pub output: Vec<Number>,
}

/// A published value of a metric, next to the value of this trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceComparison {
    /// The path of the metric: `last.loss`.
    #[serde(rename = "metric", alias = "value")]
    pub value: String,
    /// The published value.
    #[serde(rename = "reference", alias = "theirs")]
    pub theirs: f64,
    /// The value of this trial, or `null` if it has none.
    #[serde(rename = "this_run", alias = "ours")]
    pub ours: Option<Number>,
    /// Whether the published run is reproducible to the last digit, with the first of the experiment's seeds.
    pub exact: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::positive_class::ChosenBy;
    use crate::history::trial_history::trial_for_tests;

    #[test]
    fn the_second_class_is_the_positive_one_if_a_history_names_none() {
        let mut data = trial_for_tests("a", 0, 0.5).data;
        assert_eq!((data.positive_index(), data.positive_name()), (1, None));
        data.classes = vec!["fraud".to_owned(), "legit".to_owned()];
        let old = serde_json::to_value(&data).unwrap();
        assert_eq!(old.get("positive"), None);
        let read: DataRecord = serde_json::from_value(old).unwrap();
        assert_eq!((read.positive_index(), read.describe_positive().unwrap()), (1, "`legit`".to_owned()));
        data.positive = Some(PositiveClass { name: "fraud".to_owned(), index: 0, chosen: ChosenBy::Rarer });
        let read: DataRecord = serde_json::from_value(serde_json::to_value(&data).unwrap()).unwrap();
        assert_eq!((read.positive_index(), read.positive_name()), (0, Some("fraud")));
        assert_eq!(read.describe_positive().unwrap(), "`fraud` (rarer than a third of the rows)");
    }
}
