//! Average precision (scikit-learn's `average_precision_score`): the precision at each threshold, weighted by the
//! increase in recall, `Σ (Rₙ − Rₙ₋₁) Pₙ`. Range 0–1, higher is better. Random scores give the share of positives among
//! the rows. It suits rare classes, for which the ROC curve looks too good.
//!
//! It equals the mean, over the rows of the positive class, of the precision among the rows with at least the same
//! score. Equal scores share one threshold. It is undefined (NaN) when only one class has rows; scikit-learn returns 1
//! when all rows are positive, and warns and returns 0 when none is. For multi-label targets, it is the mean over the
//! labels for which it is defined.

use std::borrow::Cow;

use tch::{Kind, Tensor};

use crate::metrics::decision::Decision;
use crate::metrics::info::{MetricInfo, Targets};
use crate::metrics::precision_recall::mean_of_defined;

/// Properties of average precision.
pub const AVERAGE_PRECISION: MetricInfo = MetricInfo {
    name: Cow::Borrowed("ap"),
    label: Cow::Borrowed("average precision"),
    range: [0.0, 1.0],
    higher_is_better: Some(true),
    needs_scores: true,
    uses_positive_class: true,
    is_percent: false,
    targets: Targets::TwoClassesOrLabels,
};

/// Returns the average precision of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64, or `[replicas, rows, outputs]` f32 for
/// multi-label targets → `[replicas]`, f64, NaN where undefined.
pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> Tensor {
    let (scores, truth) = by_label(outputs, truth, decision, positive); // [replicas, labels, rows] each
    let rows = scores.size()[2] as f64;
    let (sorted, order) = scores.sort(-1, false);
    let truth = truth.gather(-1, &order, false);
    let below = sorted.searchsorted::<Tensor>(&sorted, false, false, "left", None); // number of rows with a lower score
    // Integer sums: on a GPU, floating-point cumulative sums are not deterministic.
    let of_class_1 = truth.to_kind(Kind::Int64).cumsum(-1, Kind::Int64).to_kind(Kind::Double);
    let positives = of_class_1.narrow(-1, of_class_1.size()[2] - 1, 1); // [replicas, labels, 1]
    let up_to_row = Tensor::cat(&[&positives.zeros_like(), &of_class_1], -1);
    let predicted_right = &positives - up_to_row.gather(-1, &below, false);
    let precision = predicted_right / (rows - below.to_kind(Kind::Double));
    let sum = (precision * truth).sum_dim_intlist(-1, false, Kind::Double);
    let positives = positives.squeeze_dim(-1);
    let one_class = positives.eq(0.0).logical_or(&positives.eq(rows));
    let undefined = one_class.logical_or(&scores.isnan().any_dim(-1, false));
    mean_of_defined(&(sum / positives).masked_fill(&undefined, f64::NAN))
}

/// Returns scores and targets by label, or of the positive class: `[replicas, labels, rows]` each, targets as f64 0 or
/// 1.
pub(super) fn by_label(outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> (Tensor, Tensor) {
    let truth = match truth.dim() {
        2 => truth.eq(positive as i64).unsqueeze(1),
        _ => truth.transpose(1, 2),
    };
    (decision.scores(outputs, positive).transpose(1, 2).contiguous(), truth.to_kind(Kind::Double))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn average(scores: &[f64], truth: &[i64]) -> f64 {
        let rows = truth.len() as i64;
        let scores = Tensor::from_slice(scores).view([1, rows, 1]);
        per_replica(&scores, &Tensor::from_slice(truth).view([1, rows]), Decision::Above(0.5), 1).double_value(&[0])
    }

    proptest! {
        #[test]
        fn it_lies_between_the_worst_order_and_1_or_is_undefined(
            rows in prop::collection::vec((0_u8..=16, 0_i64..2), 1..60),
        ) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
            let truth: Vec<i64> = rows.iter().map(|(_, class)| *class).collect();
            let found = average(&scores, &truth);
            if truth.contains(&0) && truth.contains(&1) {
                // all rows of class 1 ranked below all others
                let mut last = truth.clone();
                last.sort_unstable();
                let worst = average(&(0..rows.len()).rev().map(|row| row as f64).collect::<Vec<_>>(), &last);
                prop_assert!(worst - 1e-12 <= found && found <= 1.0 + 1e-12, "{worst} {found}");
                let right = truth.iter().map(|class| *class as f64).collect::<Vec<_>>();
                prop_assert_eq!(average(&right, &truth), 1.0);
            } else {
                prop_assert!(found.is_nan());
            }
        }
    }

    #[test]
    fn equal_scores_give_the_share_of_class_1_and_replicas_do_not_mix() {
        assert_eq!(average(&[0.5; 5], &[0, 1, 0, 0, 1]), 0.4);
        let outputs = Tensor::from_slice(&[0.1_f32, 0.9, 0.9, 0.1, 0.1, f32::NAN]).view([3, 2, 1]);
        let truth = Tensor::from_slice(&[0_i64, 1, 0, 1, 0, 1]).view([3, 2]);
        let found = per_replica(&outputs, &truth, Decision::Above(0.5), 1);
        assert_eq!((found.double_value(&[0]), found.double_value(&[1])), (1.0, 0.5));
        assert!(found.double_value(&[2]).is_nan());
    }
}
