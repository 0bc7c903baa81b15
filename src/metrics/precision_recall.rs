//! Precision, recall and F1 (scikit-learn's `precision_recall_fscore_support`). Range 0–1, higher is better.
//!
//! For two classes they describe the positive class. Precision is undefined without predictions of it, recall without
//! rows of it, F1 without either. For more classes they are the mean over the classes that occur or are predicted
//! (`average="macro"`), for multi-label targets the mean over all labels. In a mean an undefined value counts as 0,
//! which is scikit-learn's default.

use std::borrow::Cow;

use tch::{Kind, Tensor};

use crate::metrics::accuracy::ACCURACY;
use crate::metrics::confusion;
use crate::metrics::decision::Decision;
use crate::metrics::info::MetricInfo;

/// Properties of precision.
pub const PRECISION: MetricInfo = MetricInfo {
    name: Cow::Borrowed("precision"),
    label: Cow::Borrowed("precision"),
    uses_positive_class: true,
    ..ACCURACY
};

/// Properties of recall.
pub const RECALL: MetricInfo =
    MetricInfo { name: Cow::Borrowed("recall"), label: Cow::Borrowed("recall"), ..PRECISION };

/// Properties of F1.
pub const F1: MetricInfo =
    MetricInfo { name: Cow::Borrowed("f1"), label: Cow::Borrowed("F1"), is_percent: false, ..PRECISION };

/// Counts by class from which precision, recall and F1 are computed: `[replicas, classes]` each, f64.
#[derive(Debug)]
pub struct ClassCounts {
    right: Tensor,
    predicted: Tensor,
    support: Tensor,
    /// 1 for classes or labels that are part of the mean, else 0.
    counted: Tensor,
}

impl ClassCounts {
    /// Counts the rows of each replica.
    ///
    /// # Shapes
    /// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64, or `[replicas, rows, outputs]` f32 for
    /// multi-label targets. With two classes, only the class `positive` is counted.
    pub fn new(outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> ClassCounts {
        let sum = |values: &Tensor, dimension: i64| values.sum_dim_intlist(dimension, false, Kind::Double);
        match confusion::per_replica(outputs, truth, decision) {
            Some(matrix) => {
                let (right, predicted, support) = (matrix.diagonal(0, 1, 2), sum(&matrix, 1), sum(&matrix, 2));
                let of = |counts: Tensor| match counts.size()[1] {
                    2 => counts.narrow(1, positive as i64, 1),
                    _ => counts,
                };
                let (right, predicted, support) = (of(right), of(predicted), of(support));
                let counted = (&predicted + &support).gt(0.0).to_kind(Kind::Double);
                ClassCounts { right, predicted, support, counted }
            }
            None => {
                let predicted = decision.classes(outputs);
                let (right, support) = (sum(&(&predicted * truth), 1), sum(truth, 1));
                let (predicted, counted) = (sum(&predicted, 1), support.ones_like());
                ClassCounts { right, predicted, support, counted }
            }
        }
    }

    /// Returns the share of predictions that are right: `[replicas]`, f64, NaN where undefined.
    pub fn precision(&self) -> Tensor {
        self.mean(&(&self.right / &self.predicted))
    }

    /// Returns the share of actual rows that are predicted as their class: `[replicas]`, f64, NaN where undefined.
    pub fn recall(&self) -> Tensor {
        self.mean(&(&self.right / &self.support))
    }

    /// Returns the harmonic mean of precision and recall: `[replicas]`, f64, NaN where undefined.
    pub fn f1(&self) -> Tensor {
        self.mean(&(&self.right * 2.0 / (&self.predicted + &self.support)))
    }

    /// Returns the value of the single class or label, or the mean of several: `[replicas, classes]` → `[replicas]`.
    fn mean(&self, values: &Tensor) -> Tensor {
        if values.size()[1] == 1 {
            return values.squeeze_dim(1);
        }
        let sum = |values: &Tensor| values.sum_dim_intlist(1, false, Kind::Double);
        sum(&(values.nan_to_num(0.0, None, None) * &self.counted)) / sum(&self.counted)
    }
}

/// Returns the mean over the classes or labels whose value is not NaN: `[replicas, classes]` → `[replicas]`.
pub(super) fn mean_of_defined(values: &Tensor) -> Tensor {
    values.nanmean(1, false, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn figures(outputs: &[f32], truth: &[i64], classes: i64) -> [f64; 3] {
        let rows = truth.len() as i64;
        let outputs = Tensor::from_slice(outputs).view([1, rows, classes]);
        let counts = ClassCounts::new(&outputs, &Tensor::from_slice(truth).view([1, rows]), Decision::Largest, 1);
        [counts.precision(), counts.recall(), counts.f1()].map(|figure| figure.double_value(&[0]))
    }

    proptest! {
        #[test]
        fn each_lies_between_0_and_1_or_is_undefined(
            rows in prop::collection::vec((prop::array::uniform3(-2_i8..3), 0_i64..3), 1..40),
        ) {
            let outputs: Vec<f32> = rows.iter().flat_map(|(outputs, _)| outputs.map(f32::from)).collect();
            let truth: Vec<i64> = rows.iter().map(|(_, class)| *class).collect();
            let [precision, recall, f1] = figures(&outputs, &truth, 3);
            for figure in [precision, recall, f1] {
                prop_assert!((0.0..=1.0).contains(&figure));
            }
        }
    }

    #[test]
    fn of_two_classes_they_are_those_of_the_positive_class_and_undefined_without_it() {
        assert_eq!(figures(&[0.0, 1.0, 0.0, 1.0, 1.0, 0.0], &[1, 0, 1], 2), [0.5, 0.5, 0.5]);
        let [precision, recall, f1] = figures(&[1.0, 0.0, 1.0, 0.0], &[0, 0], 2);
        assert!(precision.is_nan() && recall.is_nan() && f1.is_nan());
        let [precision, recall, f1] = figures(&[1.0, 0.0, 1.0, 0.0], &[0, 1], 2);
        assert!(precision.is_nan());
        assert_eq!((recall, f1), (0.0, 0.0));
    }

    #[test]
    fn the_positive_class_can_be_the_first_one() {
        let outputs = Tensor::from_slice(&[0.1_f32, 0.9, 0.2, 0.8, 0.7]).view([1, 5, 1]);
        let truth = Tensor::from_slice(&[0_i64, 1, 1, 1, 0]).view([1, 5]);
        let of = |positive: usize| {
            let counts = ClassCounts::new(&outputs, &truth, Decision::Above(0.5), positive);
            [counts.precision(), counts.recall()].map(|share| share.double_value(&[0]))
        };
        assert_eq!((of(0), of(1)), ([0.5, 0.5], [2.0 / 3.0, 2.0 / 3.0]));
    }

    #[test]
    fn of_several_classes_one_that_is_never_predicted_counts_as_0_and_one_that_never_occurs_does_not_count() {
        // scikit-learn: precision_recall_fscore_support([0, 1, 2], [0, 1, 1], average="macro")
        let outputs = Tensor::from_slice(&[0_i64, 1, 1]).one_hot(4).to_kind(Kind::Float).unsqueeze(0);
        let truth = Tensor::from_slice(&[0_i64, 1, 2]).unsqueeze(0);
        let counts = ClassCounts::new(&outputs, &truth, Decision::Largest, 1);
        let near = |found: Tensor, wanted: f64| (found.double_value(&[0]) - wanted).abs() < 1e-12;
        assert!(near(counts.precision(), 0.5) && near(counts.recall(), 2.0 / 3.0) && near(counts.f1(), 5.0 / 9.0));
    }
}
