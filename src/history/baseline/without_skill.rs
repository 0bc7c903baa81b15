//! Metrics of a prediction that is the same for every row, also those that are not recorded because they are known.

use crate::history::baseline::constant_prediction::Baseline;
use crate::history::trial_history::History;

/// Metrics of classifiers that have a known value if every row has the same score.
pub const WITHOUT_SKILL: [&str; 3] = ["balanced_acc", "roc_auc", "ap"];

/// Returns the metric of a constant prediction for a trial's test rows, or without test rows for its validation rows: those
/// that the history records, balanced accuracy 1 / number of classes, ROC AUC 0.5 and, for two classes, the average precision
/// of random scores, which is the share of the positive class. Rows of a single class have none.
pub fn metric(name: &str, history: &History) -> Option<f64> {
    let baselines = history.baselines.as_ref()?;
    let baseline = baselines.test.as_ref().or(baselines.validation.as_ref())?;
    if baseline.class.is_some() && baseline.metric("acc").is_some_and(|share| share >= 1.0) {
        return None;
    }
    baseline.metric(name).or_else(|| match name {
        "balanced_acc" => baseline.class.map(|_| 1.0 / classes(history) as f64),
        "roc_auc" => Some(0.5),
        "ap" => share_of_positives(baseline, history),
        _ => None,
    })
}

/// Returns the number of classes that have test rows, or without test rows the number of all classes.
fn classes(history: &History) -> usize {
    let confusion = history.test.as_ref().and_then(|test| test.confusion.as_ref());
    let with_rows = confusion.map(|matrix| matrix.iter().filter(|row| row.iter().sum::<u64>() > 0).count());
    with_rows.unwrap_or(history.data.classes.len()).max(1)
}

fn share_of_positives(baseline: &Baseline, history: &History) -> Option<f64> {
    if let Some(test) = &history.test {
        return test.positives;
    }
    let (majority, share) = (baseline.class?, baseline.metric("acc")?);
    let positive = history.data.positive.as_ref()?.index;
    (history.data.classes.len() == 2).then_some(if majority == positive { share } else { 1.0 - share })
}
