//! What a history holds of the test rows: figures, and for classes where they come from and how they change with the
//! threshold.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;
use crate::history::report::{Report, Scores};

/// Figures on the test rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestRecord {
    /// Which weights were tested: those of the `best` or the `last` epoch.
    pub weights: String,
    /// The mean loss, and the metrics; for classes `mcc` and `balanced_acc` whether or not they were named, and for two
    /// of them `roc_auc` and `ap`.
    #[serde(flatten)]
    pub metrics: IndexMap<String, Number>,
    /// For classes, the confusion matrix: counts by true class, then by predicted class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
    /// For classes, precision, recall and F1 of each, and their averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// For two classes, the share of rows of the positive one: the average precision of chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positives: Option<f64>,
    /// For two classes, the ROC curve; none where one of them has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc: Option<RocCurve>,
    /// For two classes, the precision–recall curve; none where one of them has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_recall: Option<PrecisionRecallCurve>,
    /// The threshold that the figures are taken at, where one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdRecord>,
    /// Beside `mape`, how many rows have a target so near zero that they make it explode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets_near_zero: Option<usize>,
}

/// A ROC curve, one entry for each threshold, from the highest to the lowest. Points between two others on a line are
/// left out, and of more than 500 corners evenly chosen ones are kept, with both ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocCurve {
    /// Of the rows of the other class, the share that are predicted as the positive one.
    pub fpr: Vec<f64>,
    /// Of the rows of the positive class, the share that are predicted as it.
    pub tpr: Vec<f64>,
    /// The positive class is predicted where its probability is at least so much, or its score where there are no probabilities;
    /// the first is infinite, and nothing is predicted.
    pub threshold: Vec<Number>,
}

/// A precision–recall curve, one entry for each threshold, from the lowest to the highest. Points between others of the
/// same recall are left out, and of more than 500 evenly chosen ones are kept, with both ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionRecallCurve {
    /// Of the rows predicted as the positive class, the share that are; of none, 1.
    pub precision: Vec<f64>,
    /// Of the rows of the positive class, the share that are predicted as it.
    pub recall: Vec<f64>,
    /// Returns the harmonic mean of precision and recall: `[replicas]`, f64, NaN where undefined.
    pub f1: Vec<f64>,
    /// As for the ROC curve; the last is infinite, and nothing is predicted.
    pub threshold: Vec<Number>,
}

/// A threshold that was chosen without the test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdRecord {
    /// The positive class is predicted where its probability is at least so much, or its score where there are no probabilities.
    pub value: f64,
    /// How it was chosen, as the experiment has it: `"f1"`, `{ "cost": … }`, or the number itself.
    pub by: serde_json::Value,
    /// What it gave on the validation rows, where it was chosen by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<AtThreshold>,
    /// What the test rows give without it: where the positive class is predicted if it is the likelier one.
    pub at_default: AtThreshold,
}

/// Metrics of the positive class at a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtThreshold {
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// What misses and false alarms cost together, where the threshold was chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Number of rows, indexed by true class, then by predicted class.
    pub confusion: Vec<Vec<u64>>,
}
