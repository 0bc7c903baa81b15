//! Matthews correlation coefficient (scikit-learn's `matthews_corrcoef`; for more than two classes Gorodkin's R_K,
//! 2004): the correlation between predicted and true classes. Range −1 to 1, higher is better, 0 is chance. It is high
//! only if all classes, including rare ones, are predicted well.
//!
//! For a confusion matrix with `n` rows, `c` of them right, `tₖ` rows of class k and `pₖ` predictions of class k: `(c n
//! − Σ tₖ pₖ) / √((n² − Σ pₖ²) (n² − Σ tₖ²))`. It is undefined (NaN) when all rows or all predictions are of one class;
//! scikit-learn returns 0 then.

use std::borrow::Cow;

use tch::{Kind, Tensor};

use crate::metrics::balanced_accuracy::BALANCED_ACCURACY;
use crate::metrics::confusion;
use crate::metrics::decision::Decision;
use crate::metrics::info::MetricInfo;

/// Properties of the Matthews correlation coefficient.
pub const MATTHEWS: MetricInfo = MetricInfo {
    name: Cow::Borrowed("mcc"),
    label: Cow::Borrowed("Matthews correlation"),
    range: [-1.0, 1.0],
    is_percent: false,
    ..BALANCED_ACCURACY
};

/// Returns the coefficient of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64 → `[replicas]`, f64, NaN where undefined.
pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Tensor {
    let matrix = confusion::per_replica(outputs, truth, decision).expect("mcc is for classes"); // plan checks it
    let sum = |values: &Tensor, dimension: i64| values.sum_dim_intlist(dimension, false, Kind::Double);
    let (support, predicted) = (sum(&matrix, 2), sum(&matrix, 1)); // [replicas, classes]
    let right = sum(&matrix.diagonal(0, 1, 2), 1); // [replicas]
    let rows = sum(&support, 1);
    let rest = |counts: &Tensor| rows.square() - sum(&counts.square(), 1);
    let together = right * &rows - sum(&(&support * &predicted), 1);
    let (of_predicted, of_support) = (rest(&predicted), rest(&support));
    together / (of_predicted.sqrt() * of_support.sqrt()) // 0 / 0 if only one class occurs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coefficient(predicted: &[i64], truth: &[i64], classes: i64) -> f64 {
        let outputs = Tensor::from_slice(predicted).one_hot(classes).to_kind(Kind::Float).unsqueeze(0);
        per_replica(&outputs, &Tensor::from_slice(truth).unsqueeze(0), Decision::Largest).double_value(&[0])
    }

    proptest! {
        #[test]
        fn it_lies_between_minus_1_and_1_and_is_the_same_with_both_exchanged(
            rows in prop::collection::vec((0_i64..3, 0_i64..3), 1..40),
        ) {
            let (predicted, truth): (Vec<i64>, Vec<i64>) = rows.into_iter().unzip();
            let (found, exchanged) = (coefficient(&predicted, &truth, 3), coefficient(&truth, &predicted, 3));
            let constant = |classes: &[i64]| classes.iter().all(|class| *class == classes[0]);
            if constant(&predicted) || constant(&truth) {
                prop_assert!(found.is_nan() && exchanged.is_nan());
            } else {
                prop_assert!(found.abs() <= 1.0 + 1e-12);
                prop_assert!((found - exchanged).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn all_right_is_1_and_all_wrong_of_two_classes_is_minus_1() {
        assert!((coefficient(&[0, 1, 2, 2], &[0, 1, 2, 2], 3) - 1.0).abs() < 1e-15);
        assert!((coefficient(&[1, 0, 0], &[0, 1, 1], 2) + 1.0).abs() < 1e-15);
    }
}
