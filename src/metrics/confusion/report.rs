//! Classification report (scikit-learn's `classification_report`): precision, recall and F1 of each class and their
//! averages, computed from a confusion matrix.
//!
//! Precision is `None` for a class that is never predicted, recall for a class without rows, F1 for a class with
//! neither rows nor predictions. Averages are over the classes that occur or are predicted; in them an undefined value
//! counts as 0, which is scikit-learn's default.

use crate::history::classification_report::{ClassReport, Report, Scores};
use crate::metrics::confusion::matrix::Confusion;

impl Scores {
    /// Computes the scores of a class from its true positives (`right`), all predictions of it (`predicted`) and all
    /// its rows (`support`).
    pub(in crate::metrics) fn from_counts(right: u64, predicted: u64, support: u64) -> Self {
        Scores {
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, predicted + support),
        }
    }
}

impl Confusion {
    /// Returns the classification report for this matrix.
    pub fn report(&self) -> Report {
        let matrix = &self.0;
        let classes: Vec<ClassReport> = (0..matrix.len())
            .map(|class| {
                let support = matrix[class].iter().sum();
                let predicted = matrix.iter().map(|row| row[class]).sum();
                ClassReport { scores: Scores::from_counts(matrix[class][class], predicted, support), support }
            })
            .collect();
        let right = (0..matrix.len()).map(|class| matrix[class][class]).sum();
        Report {
            accuracy: share(right, classes.iter().map(|class| class.support).sum()),
            macro_average: averages(&classes, |_| 1.0),
            weighted_average: averages(&classes, |class| class.support as f64),
            classes,
        }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Returns the weighted means over the classes that occur or are predicted; an undefined value counts as 0.
fn averages(classes: &[ClassReport], weight: fn(&ClassReport) -> f64) -> Scores {
    let mean = |score: fn(&Scores) -> Option<f64>| {
        let counted = classes.iter().filter(|class| class.scores.f1.is_some());
        let values: Vec<(f64, f64)> =
            counted.map(|class| (score(&class.scores).unwrap_or(0.0), weight(class))).collect();
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        (total > 0.0).then(|| values.iter().map(|(score, weight)| score * weight).sum::<f64>() / total)
    };
    Scores { precision: mean(|s| s.precision), recall: mean(|s| s.recall), f1: mean(|s| s.f1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undefined_is_none_and_read_back_as_such() {
        let report = Confusion(vec![vec![2, 0], vec![0, 0]]).report();
        assert_eq!(report.classes[1].scores, Scores { precision: None, recall: None, f1: None });
        assert_eq!(report.macro_average.f1, Some(1.0));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["macro"]["recall"], 1.0);
        assert_eq!(json["classes"][0]["support"], 2);
        assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
        assert_eq!(Confusion(vec![vec![0, 0], vec![0, 0]]).report().accuracy, None);
    }
}
