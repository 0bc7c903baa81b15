//! Area under the ROC curve (scikit-learn's `roc_auc_score`): the probability that a random row of the positive class
//! has a higher score than a random row of the other class; ties count half. Range 0–1, higher is better, 0.5 is
//! chance.
//!
//! It is computed exactly from ranks (Mann and Whitney 1947): `(Σ ranks of positives − P (P + 1) / 2) / (P N)`, where
//! equal scores share their mean rank. It is undefined (NaN) when one class has no rows. For multi-label targets, it is
//! the mean over the labels for which it is defined.

use std::borrow::Cow;

use tch::{Kind, Tensor};

use crate::metrics::average_precision::{AVERAGE_PRECISION, by_label};
use crate::metrics::decision::Decision;
use crate::metrics::info::MetricInfo;
use crate::metrics::precision_recall::mean_of_defined;

/// Properties of the area under the ROC curve.
pub const ROC_AUC: MetricInfo =
    MetricInfo { name: Cow::Borrowed("roc_auc"), label: Cow::Borrowed("ROC AUC"), ..AVERAGE_PRECISION };

/// Returns the area of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64, or `[replicas, rows, outputs]` f32 for
/// multi-label targets → `[replicas]`, f64, NaN where undefined.
pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> Tensor {
    let (scores, truth) = by_label(outputs, truth, decision, positive);
    let sum = |values: &Tensor| values.sum_dim_intlist(-1, false, Kind::Double);
    let positives = sum(&truth); // [replicas, labels]
    let negatives = scores.size()[2] as f64 - &positives;
    let above = sum(&(ranks(&scores) * truth)) - &positives * (&positives + 1.0) / 2.0;
    let area = above / (&positives * &negatives); // 0 / 0 if one class has no rows
    mean_of_defined(&area.masked_fill(&scores.isnan().any_dim(-1, false), f64::NAN))
}

/// Returns the rank of each score within its label, from 1; equal scores share their mean rank.
fn ranks(scores: &Tensor) -> Tensor {
    let (sorted, _) = scores.sort(-1, false);
    let below = scores.searchsorted::<Tensor>(&sorted, false, false, "left", None);
    let up_to = scores.searchsorted::<Tensor>(&sorted, false, true, "right", None);
    (below + up_to + 1).to_kind(Kind::Double) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area(scores: &[f64], truth: &[i64]) -> f64 {
        let rows = truth.len() as i64;
        let scores = Tensor::from_slice(scores).view([1, rows, 1]);
        per_replica(&scores, &Tensor::from_slice(truth).view([1, rows]), Decision::Above(0.5), 1).double_value(&[0])
    }

    proptest! {
        #[test]
        fn it_lies_between_0_and_1_and_turns_around_with_the_scores(
            rows in prop::collection::vec((0_u8..=16, 0_i64..2), 1..60),
        ) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score) / 16.0).collect();
            let turned: Vec<f64> = scores.iter().map(|score| 1.0 - score).collect();
            let truth: Vec<i64> = rows.iter().map(|(_, class)| *class).collect();
            let (area_of, turned) = (area(&scores, &truth), area(&turned, &truth));
            if truth.contains(&0) && truth.contains(&1) {
                prop_assert!((0.0..=1.0).contains(&area_of));
                prop_assert!((turned - (1.0 - area_of)).abs() < 1e-12);
            } else {
                prop_assert!(area_of.is_nan() && turned.is_nan());
            }
        }
    }

    #[test]
    fn two_outputs_rank_rows_as_one_does_and_what_is_not_a_number_has_no_area() {
        let one = Tensor::from_slice(&[0.5_f32, 2.0, -1.0, 0.5]).view([1, 4, 1]);
        let two = Tensor::cat(&[&one * 0.0 + 3.0, &one + 3.0], -1);
        let truth = Tensor::from_slice(&[1_i64, 1, 0, 0]).view([1, 4]);
        let of = |outputs: &Tensor, decision| per_replica(outputs, &truth, decision, 1).double_value(&[0]);
        assert_eq!(of(&one, Decision::Above(0.0)), 0.875);
        assert_eq!(of(&two, Decision::Largest), 0.875);
        assert!(of(&(one / 0.0 * 0.0), Decision::Above(0.0)).is_nan());
    }
}
