//! Precision, recall and F1 (scikit-learn's `precision_recall_fscore_support`), in 0–1, higher is better.
//!
//! Of two classes they are class 1's; of several classes, and of several labels, the mean over those for which they are
//! defined: precision needs a prediction of the class, recall a row of it, F1 one of both.

use tch::{Kind, Tensor};

use crate::metrics::confusion;
use crate::metrics::decision::Decision;

/// What precision, recall and F1 are made of, by class: `[replicas, classes]` each, f64.
#[derive(Debug)]
pub struct Counts {
    right: Tensor,
    predicted: Tensor,
    support: Tensor,
}

impl Counts {
    /// Counts the rows of each replica.
    ///
    /// # Shapes
    /// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64, or `[replicas, rows, outputs]` f32 for
    /// several labels.
    pub fn new(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Counts {
        let sum = |values: &Tensor, dimension: i64| values.sum_dim_intlist(dimension, false, Kind::Double);
        match confusion::of_each_replica(outputs, truth, decision) {
            Some(matrix) => {
                let (right, predicted, support) = (matrix.diagonal(0, 1, 2), sum(&matrix, 1), sum(&matrix, 2));
                let counted = |counts: Tensor| if counts.size()[1] == 2 { counts.narrow(1, 1, 1) } else { counts };
                Counts { right: counted(right), predicted: counted(predicted), support: counted(support) }
            }
            None => {
                let predicted = decision.classes(outputs);
                Counts { right: sum(&(&predicted * truth), 1), predicted: sum(&predicted, 1), support: sum(truth, 1) }
            }
        }
    }

    /// Of what was predicted, the share that is right: `[replicas]`, f64, NaN where undefined for all classes.
    pub fn precision(&self) -> Tensor {
        mean_of_defined(&(&self.right / &self.predicted))
    }

    /// Of what is there, the share that was predicted.
    pub fn recall(&self) -> Tensor {
        mean_of_defined(&(&self.right / &self.support))
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> Tensor {
        mean_of_defined(&(&self.right * 2.0 / (&self.predicted + &self.support)))
    }
}

/// The mean over classes or labels whose value is a number: `[replicas, classes]` → `[replicas]`.
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
        let counts = Counts::new(&outputs, &Tensor::from_slice(truth).view([1, rows]), Decision::Largest);
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
            // some class always occurs, and some is always predicted
            for figure in [precision, recall, f1] {
                prop_assert!((0.0..=1.0).contains(&figure));
            }
        }
    }

    #[test]
    fn of_two_classes_they_are_class_1s_and_undefined_without_it() {
        assert_eq!(figures(&[0.0, 1.0, 0.0, 1.0, 1.0, 0.0], &[1, 0, 1], 2), [0.5, 0.5, 0.5]);
        let [precision, recall, f1] = figures(&[1.0, 0.0, 1.0, 0.0], &[0, 0], 2);
        assert!(precision.is_nan() && recall.is_nan() && f1.is_nan());
        let [precision, recall, f1] = figures(&[1.0, 0.0, 1.0, 0.0], &[0, 1], 2);
        assert!(precision.is_nan());
        assert_eq!((recall, f1), (0.0, 0.0));
    }
}
