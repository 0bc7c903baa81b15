//! The results on the test rows: metrics, confusion matrix, classification report, curves and threshold.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::classification_report::{Report, Scores};
use crate::history::number::Number;

/// Results on the test rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestRecord {
    /// The tested weights: those of the `best` or the `last` epoch.
    pub weights: String,
    /// The mean loss and the metrics. For classes also `mcc` and `balanced_acc`, and for two classes `roc_auc` and `ap`,
    /// even if the experiment does not list them.
    #[serde(flatten)]
    pub metrics: IndexMap<String, Number>,
    /// For classes, the confusion matrix: number of rows by true class, then by predicted class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
    /// For classes, precision, recall and F1 of each class, and their averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// For two classes, the share of rows of the positive class. It is the average precision of a random prediction.
    #[serde(default, rename = "prevalence", alias = "positives", skip_serializing_if = "Option::is_none")]
    pub positives: Option<f64>,
    /// For two classes, the ROC curve. Missing if one of them has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc: Option<RocCurve>,
    /// For two classes, the precision–recall curve. Missing if one of them has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_recall: Option<PrecisionRecallCurve>,
    /// The threshold that the metrics use, if the experiment sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdRecord>,
    /// With `mape`, the number of rows whose target is near zero, where MAPE explodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets_near_zero: Option<usize>,
}

impl TestRecord {
    /// Returns the precision–recall curve with the exact point at the threshold that the metrics use: the recorded curve
    /// lacks points between others of the same recall. `positive` is the index of the positive class, 0 or 1.
    pub fn curve_with_threshold(&self, positive: usize) -> Option<PrecisionRecallCurve> {
        let mut curve = self.precision_recall.clone()?;
        if let (Some(threshold), Some([first, second])) = (&self.threshold, self.confusion.as_deref())
            && let ([a, b], [c, d]) = (&first[..], &second[..])
        {
            let counts = if positive == 1 { [*d, *b, *c] } else { [*a, *c, *b] };
            let [hits, false_alarms, misses] = counts.map(|count| count as f64);
            let row = curve.threshold.partition_point(|at| at.0 < threshold.value);
            if hits > 0.0 && curve.threshold.get(row).is_some_and(|at| at.0 != threshold.value) {
                curve.threshold.insert(row, Number(threshold.value));
                curve.precision.insert(row, hits / (hits + false_alarms));
                curve.recall.insert(row, hits / (hits + misses));
                curve.f1.insert(row, 2.0 * hits / (2.0 * hits + false_alarms + misses));
            }
        }
        Some(curve)
    }
}

/// A ROC curve, one entry per threshold, from the highest threshold to the lowest. Collinear points are dropped, as in
/// scikit-learn. At most 500 points are kept, evenly spaced and with both ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocCurve {
    /// False positive rate: share of the negative rows that are predicted as positive.
    pub fpr: Vec<f64>,
    /// True positive rate: share of the positive rows that are predicted as positive.
    pub tpr: Vec<f64>,
    /// A row is predicted as positive if its probability, or its score without probabilities, is at least the threshold.
    /// The first threshold is infinite: no row is predicted as positive.
    pub threshold: Vec<Number>,
}

/// A precision–recall curve, one entry per threshold, from the lowest threshold to the highest. Points between others of
/// the same recall are dropped. At most 500 points are kept, evenly spaced and with both ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionRecallCurve {
    /// Precision: share of the rows predicted as positive that are positive; 1 if no row is predicted as positive.
    pub precision: Vec<f64>,
    /// Recall: share of the positive rows that are predicted as positive.
    pub recall: Vec<f64>,
    /// F1: harmonic mean of precision and recall.
    pub f1: Vec<f64>,
    /// As for the ROC curve. The last threshold is infinite: no row is predicted as positive.
    pub threshold: Vec<Number>,
}

/// A threshold that was set, or chosen without the test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdRecord {
    /// A row is predicted as positive if its probability, or its score without probabilities, is at least this value.
    pub value: f64,
    /// The `threshold` of the experiment: `"f1"`, `{ "cost": … }`, or the number itself.
    pub by: serde_json::Value,
    /// Metrics on the validation rows at this threshold, if they were used to choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<AtThreshold>,
    /// Metrics on the test rows at the default threshold: the more probable class is predicted.
    pub at_default: AtThreshold,
}

/// Metrics of the positive class at a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtThreshold {
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// Total cost of false negatives and false positives, if the threshold was chosen by cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Confusion matrix: number of rows by true class, then by predicted class.
    pub confusion: Vec<Vec<u64>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_has_the_exact_point_of_the_threshold() {
        let numbers = |values: &[f64]| values.iter().copied().map(Number).collect::<Vec<_>>();
        let curve = PrecisionRecallCurve {
            precision: vec![0.5, 0.875, 1.0],
            recall: vec![1.0, 0.7, 0.0],
            f1: vec![0.66, 0.78, 0.0],
            threshold: numbers(&[0.1, 0.6, f64::INFINITY]),
        };
        let at_default = AtThreshold {
            scores: Scores { precision: None, recall: None, f1: None },
            cost: None,
            confusion: Vec::new(),
        };
        let threshold = ThresholdRecord { value: 0.4, by: "f1".into(), validation: None, at_default };
        let mut test = TestRecord {
            precision_recall: Some(curve),
            threshold: Some(threshold),
            confusion: Some(vec![vec![8, 2], vec![3, 7]]),
            ..TestRecord::default()
        };
        let exact = test.curve_with_threshold(1).unwrap();
        assert_eq!(exact.threshold, numbers(&[0.1, 0.4, 0.6, f64::INFINITY]));
        assert_eq!((exact.precision[1], exact.recall[1], exact.f1[1]), (7.0 / 9.0, 0.7, 14.0 / 19.0));
        let other = test.curve_with_threshold(0).unwrap();
        assert_eq!((other.precision[1], other.recall[1]), (8.0 / 11.0, 0.8));
        test.threshold = None;
        assert_eq!(test.curve_with_threshold(1), test.precision_recall);
    }
}
