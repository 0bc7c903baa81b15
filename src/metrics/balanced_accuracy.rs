//! Balanced accuracy (scikit-learn's `balanced_accuracy_score`): the mean recall of all classes, so that a rare class
//! counts as much as a frequent one. Range 0–1, higher is better. A constant prediction scores 1 / classes.
//!
//! As in scikit-learn, the mean is over the classes that have rows. It is undefined (NaN) without rows.

use std::borrow::Cow;

use tch::{Kind, Tensor};

use crate::metrics::accuracy::ACCURACY;
use crate::metrics::confusion;
use crate::metrics::decision::Decision;
use crate::metrics::info::{MetricInfo, Targets};
use crate::metrics::precision_recall::mean_of_defined;

/// Properties of balanced accuracy.
pub const BALANCED_ACCURACY: MetricInfo = MetricInfo {
    name: Cow::Borrowed("balanced_acc"),
    label: Cow::Borrowed("balanced accuracy"),
    targets: Targets::SingleLabelClasses,
    ..ACCURACY
};

/// Returns the balanced accuracy of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64 → `[replicas]`, f64, NaN where undefined.
pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Tensor {
    let matrix = confusion::per_replica(outputs, truth, decision).expect("it is for classes"); // plan checks it
    let support = matrix.sum_dim_intlist(2, false, Kind::Double); // [replicas, classes]
    mean_of_defined(&(matrix.diagonal(0, 1, 2) / support))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_that_has_rows_counts_the_same() {
        let outputs = Tensor::from_slice(&[0_i64, 0, 0, 0, 0, 1]).one_hot(3).to_kind(Kind::Float).unsqueeze(0);
        let of = |truth: &[i64]| {
            let truth = Tensor::from_slice(truth).unsqueeze(0);
            per_replica(&outputs, &truth, Decision::Largest).double_value(&[0])
        };
        assert_eq!(of(&[0, 0, 0, 0, 1, 1]), 0.75);
        assert_eq!(of(&[0, 0, 0, 2, 1, 1]), 0.5);
        assert_eq!(of(&[0, 0, 0, 0, 0, 0]), 5.0 / 6.0, "of one class, its recall");
    }
}
