//! ROC curve and precision–recall curve for two classes, with the same points as scikit-learn's `roc_curve` and
//! `precision_recall_curve` with `drop_intermediate=True`. Curves with more than 500 points are thinned evenly.
//!
//! There is no curve when one class has no rows; scikit-learn warns and returns a rate of NaN or a recall of 1. The
//! areas under the curves are separate metrics that use all points ([`crate::metrics::roc_auc`], [`crate::metrics::average_precision`]).

use std::iter::once;

use tch::Tensor;

use crate::history::number::Number;
use crate::history::test_record::{PrecisionRecallCurve, RocCurve};
use crate::metrics::curves::ranking::Ranking;
use crate::metrics::score::ClassScore;

/// Maximum number of points of a curve, which keeps histories small.
pub const MOST_POINTS: usize = 500;

/// Returns the ROC curve of rows ranked by [`ClassScore::rank`], with scores as thresholds; `None` when one class has
/// no rows.
pub fn roc(ranking: &Ranking, score: ClassScore) -> Option<RocCurve> {
    if !ranking.has_both() {
        return None;
    }
    let bends = |counts: &[u64], at: usize| counts[at + 1] - counts[at] != counts[at] - counts[at - 1];
    let kept = kept(ranking, |at| bends(&ranking.wrong, at) || bends(&ranking.right, at));
    let shares = |counts: &[u64], all: u64| -> Vec<f64> {
        once(0.0).chain(kept.iter().map(|&at| counts[at] as f64 / all as f64)).collect()
    };
    Some(RocCurve {
        fpr: shares(&ranking.wrong, ranking.negatives()),
        tpr: shares(&ranking.right, ranking.positives()),
        threshold: once(Number(f64::INFINITY)).chain(thresholds(ranking, &kept, score)).collect(),
    })
}

/// Returns the precision–recall curve of rows ranked by [`ClassScore::rank`], with scores as thresholds; `None` when
/// one class has no rows.
pub fn precision_recall(ranking: &Ranking, score: ClassScore) -> Option<PrecisionRecallCurve> {
    if !ranking.has_both() {
        return None;
    }
    let right = &ranking.right;
    let mut kept = kept(ranking, |at| right[at] != right[at - 1] || right[at + 1] != right[at]);
    kept.reverse(); // from the lowest threshold
    let positives = ranking.positives();
    let share = |part: u64, whole: u64| part as f64 / whole as f64;
    let of = |figure: &dyn Fn(u64, u64) -> f64, of_none: f64| -> Vec<f64> {
        let points = kept.iter().map(|&at| figure(right[at], right[at] + ranking.wrong[at]));
        points.chain(once(of_none)).collect()
    };
    Some(PrecisionRecallCurve {
        precision: of(&|right, predicted| share(right, predicted), 1.0),
        recall: of(&|right, _| share(right, positives), 0.0),
        f1: of(&|right, predicted| share(2 * right, predicted + positives), 0.0),
        threshold: thresholds(ranking, &kept, score).into_iter().chain(once(Number(f64::INFINITY))).collect(),
    })
}

/// Returns the indices of the points that a curve keeps: both ends and the wanted points between them. The limit leaves
/// space for one extra point, at which nothing is predicted positive.
fn kept(ranking: &Ranking, is_wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    let last = ranking.scores.len() - 1;
    let wanted: Vec<usize> = (0..=last).filter(|&at| at == 0 || at == last || is_wanted(at)).collect();
    let most = MOST_POINTS - 1;
    if wanted.len() <= most {
        return wanted;
    }
    let evenly = |number: usize| (number * (wanted.len() - 1) + (most - 1) / 2) / (most - 1);
    (0..most).map(|number| wanted[evenly(number)]).collect()
}

/// Returns the scores at these indices.
fn thresholds(ranking: &Ranking, kept: &[usize], score: ClassScore) -> Vec<Number> {
    let ranks: Vec<f64> = kept.iter().map(|&at| ranking.scores[at]).collect();
    let scores = Vec::<f64>::try_from(score.from_rank(&Tensor::from_slice(&ranks))).expect("ranks are f64");
    scores.into_iter().map(Number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metric, decision::Decision, score::Score};
    use proptest::prelude::*;

    fn metric(metric: Metric, scores: &[f64], truth: &[bool]) -> f64 {
        let rows = truth.len() as i64;
        let truth: Vec<i64> = truth.iter().map(|is| i64::from(*is)).collect();
        let (scores, truth) =
            (Tensor::from_slice(scores).view([1, rows, 1]), Tensor::from_slice(&truth).view([1, rows]));
        metric.per_replica(&scores, &truth, Decision::Above(0.5), 1).double_value(&[0])
    }

    fn by_trapezoids(curve: &RocCurve) -> f64 {
        (1..curve.fpr.len())
            .map(|at| (curve.fpr[at] - curve.fpr[at - 1]) * (curve.tpr[at] + curve.tpr[at - 1]) / 2.0)
            .sum()
    }

    proptest! {
        #[test]
        fn the_areas_under_the_curves_are_the_metrics(rows in prop::collection::vec((0_u8..=24, any::<bool>()), 2..120)) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score) / 8.0).collect();
            let truth: Vec<bool> = rows.iter().map(|(_, is)| *is).collect();
            let ranking = Ranking::new(&scores, &truth).unwrap();
            let (roc, pr) = (roc(&ranking, Score::Output.for_class(1)), precision_recall(&ranking, Score::Output.for_class(1)));
            prop_assert_eq!(roc.is_some(), truth.contains(&true) && truth.contains(&false));
            prop_assert_eq!(roc.is_some(), pr.is_some());
            if let (Some(roc), Some(pr)) = (roc, pr) {
                prop_assert!((by_trapezoids(&roc) - metric(Metric::RocAuc, &scores, &truth)).abs() < 1e-12);
                // Each threshold that adds recall is the last with its recall, or the previous one is: none is missing.
                let all: f64 = (0..ranking.scores.len())
                    .map(|at| {
                        let before = if at == 0 { 0 } else { ranking.right[at - 1] };
                        let precision = ranking.right[at] as f64 / (ranking.right[at] + ranking.wrong[at]) as f64;
                        (ranking.right[at] - before) as f64 / ranking.positives() as f64 * precision
                    })
                    .sum();
                let steps: f64 =
                    (1..pr.recall.len()).map(|at| (pr.recall[at - 1] - pr.recall[at]) * pr.precision[at - 1]).sum();
                let average = metric(Metric::Ap, &scores, &truth);
                prop_assert!((all - average).abs() < 1e-12);
                prop_assert!((steps - average).abs() < 1e-12, "points between others of one recall add nothing");
                for (at, Number(threshold)) in pr.threshold.iter().enumerate() {
                    let predicted = |row: usize| scores[row] >= *threshold;
                    let right = (0..truth.len()).filter(|&row| predicted(row) && truth[row]).count();
                    prop_assert_eq!(pr.recall[at], right as f64 / ranking.positives() as f64);
                }
                for curve in [&roc.fpr, &roc.tpr, &pr.precision, &pr.recall, &pr.f1] {
                    prop_assert!(curve.iter().all(|share| (0.0..=1.0).contains(share)));
                }
            }
        }
    }

    #[test]
    fn many_corners_are_thinned_and_both_ends_kept() {
        let scores: Vec<f64> = (0..4000).map(f64::from).collect();
        let truth: Vec<bool> = (0..4000).map(|row| row % 2 == 0).collect();
        let ranking = Ranking::new(&scores, &truth).unwrap();
        let (roc, pr) = (
            roc(&ranking, Score::Logit.for_class(1)).unwrap(),
            precision_recall(&ranking, Score::Probability.for_class(1)).unwrap(),
        );
        assert_eq!((roc.fpr.len(), roc.threshold.len(), pr.f1.len(), pr.threshold.len()), (500, 500, 500, 500));
        assert_eq!((roc.fpr[0], roc.tpr[0], roc.fpr[499], roc.tpr[499]), (0.0, 0.0, 1.0, 1.0));
        assert_eq!((pr.recall[0], pr.recall[499], pr.threshold[0].0), (1.0, 0.0, 0.0));
        assert_eq!((roc.threshold[0].0, roc.threshold[499].0), (f64::INFINITY, 0.5), "as probabilities");
        assert!(roc.fpr.is_sorted() && roc.tpr.is_sorted() && pr.threshold.is_sorted_by(|a, b| a.0 <= b.0));
        assert!((by_trapezoids(&roc) - metric(Metric::RocAuc, &scores, &truth)).abs() < 1e-3);
    }

    #[test]
    fn of_one_class_there_is_no_curve_and_of_equal_scores_one_step() {
        let equal = Ranking::new(&[0.25; 4], &[true, false, true, false]).unwrap();
        assert_eq!(roc(&equal, Score::Probability.for_class(1)).unwrap().tpr, [0.0, 1.0]);
        assert_eq!(precision_recall(&equal, Score::Probability.for_class(1)).unwrap().precision, [0.5, 1.0]);
        let one = Ranking::new(&[0.25, 0.5], &[true, true]).unwrap();
        assert_eq!(
            (roc(&one, Score::Output.for_class(1)), precision_recall(&one, Score::Output.for_class(1))),
            (None, None)
        );
    }
}
