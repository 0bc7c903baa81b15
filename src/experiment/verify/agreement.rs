//! Compares recomputed metrics with those in a history.
//!
//! Metrics of the same network agree up to rounding, not always to the last digit: a stack computes several networks at
//! once, and a GPU sums in another order.

use indexmap::IndexMap;

use crate::experiment::store::trial_data::Part;
use crate::history::History;
use crate::history::number::Number;
use crate::history::test_record::TestRecord;
use crate::train::kept_weights::Keep;

/// Metrics that a history states for a part of its rows.
#[derive(Clone, Debug)]
pub struct HistoryMetrics {
    /// Loss and metrics by name, without the prefix `val_`.
    pub metrics: IndexMap<String, Number>,
    /// The confusion matrix, if the history has one.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Whether the history should have a confusion matrix for classes, as it does for test rows.
    pub has_confusion: bool,
}

impl HistoryMetrics {
    /// Returns the metrics that a history states for this part with the kept weights. A network has none for training
    /// rows: these metrics are computed while the weights change, so they do not belong to the kept weights.
    pub fn from_history(history: &History, keep: Keep, part: Part) -> Option<HistoryMetrics> {
        let of_validation = |name: &str, value: f64| Some((name.strip_prefix("val_")?.to_owned(), Number(value)));
        match part {
            Part::Training if history.tree.is_some() && history.data.resample.is_none() => {
                let curves = &history.history;
                let own = curves.series.keys().filter(|name| !name.starts_with("val_") && *name != "seconds");
                let metrics = own.filter_map(|name| Some((name.clone(), Number(curves.at(1, name)?)))).collect();
                Some(HistoryMetrics { metrics, confusion: None, has_confusion: false })
            }
            Part::Training => None,
            Part::Test => history.test.as_ref().map(|test| HistoryMetrics {
                metrics: test.metrics.clone(),
                confusion: test.confusion.clone(),
                has_confusion: true,
            }),
            Part::Validation => {
                let epoch = kept_epoch(history, keep)?;
                let curves = &history.history;
                let metrics: IndexMap<String, Number> =
                    curves.series.keys().filter_map(|name| of_validation(name, curves.at(epoch, name)?)).collect();
                (!metrics.is_empty()).then_some(HistoryMetrics { metrics, confusion: None, has_confusion: false })
            }
        }
    }
}

/// Returns the epoch of the kept weights; `None` if no epoch was completed.
pub fn kept_epoch(history: &History, keep: Keep) -> Option<usize> {
    let best = history.best.as_ref().map(|best| best.epoch).filter(|_| keep == Keep::Best);
    best.or_else(|| history.history.epoch.last().copied())
}

/// Result of comparing metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Difference of each metric by name; NaN if only one of the two is a number.
    pub differences: IndexMap<String, f64>,
    /// Names of the metrics that differ by more than rounding.
    pub differing: Vec<String>,
    /// Number of rows that the confusion matrices count in different cells, if both are known.
    pub moved: u64,
    /// Metrics that the history should state but does not.
    pub not_stated: Vec<String>,
    /// Metrics that the history states but were not recomputed.
    pub not_found: Vec<String>,
}

impl Agreement {
    /// Compares recomputed metrics with those of a history. `expected` are the names that the history should state;
    /// `magnitude` is the size of the outputs, 1 for classes and labels.
    pub fn new(found: &TestRecord, stated: &HistoryMetrics, expected: &[String], magnitude: f64) -> Agreement {
        let mut differences = IndexMap::new();
        let mut differing = Vec::new();
        for (name, Number(stated)) in &stated.metrics {
            let Some(Number(found)) = found.metrics.get(name) else { continue };
            // parsing may be off by one or two units in the last place
            let is_exact = found == stated || (found - stated).abs() <= 4.0 * f64::EPSILON * stated.abs();
            let same = is_exact || (found.is_nan() && stated.is_nan());
            let difference = if same { 0.0 } else { found - stated };
            differences.insert(name.clone(), difference);
            let rounding = 1e-6 * magnitude + 1e-5 * stated.abs();
            if difference.is_nan() || difference.abs() > rounding {
                differing.push(name.clone());
            }
        }
        let moved = match (&found.confusion, &stated.confusion) {
            (Some(found), Some(stated)) => {
                let cells = found.iter().flatten().zip(stated.iter().flatten());
                cells.map(|(found, stated)| found.saturating_sub(*stated)).sum()
            }
            _ => 0,
        };
        let mut not_stated: Vec<String> =
            expected.iter().filter(|name| !stated.metrics.contains_key(*name)).cloned().collect();
        let mut not_found: Vec<String> =
            stated.metrics.keys().filter(|name| !found.metrics.contains_key(*name)).cloned().collect();
        let confusion = || "confusion".to_owned();
        match (&found.confusion, &stated.confusion) {
            (Some(_), None) if stated.has_confusion => not_stated.push(confusion()),
            (None, Some(_)) => not_found.push(confusion()),
            (Some(_), Some(_)) | (None, None) | (Some(_), None) => {}
        }
        Agreement { differences, differing, moved, not_stated, not_found }
    }

    /// Whether all metrics that both have agree up to rounding.
    pub fn is_same(&self) -> bool {
        self.differing.is_empty() && self.moved == 0
    }

    /// Whether at least one metric was compared and none is missing on either side.
    pub fn is_complete(&self) -> bool {
        self.not_stated.is_empty() && self.not_found.is_empty() && !self.differences.is_empty()
    }

    /// The largest difference.
    pub fn largest(&self) -> f64 {
        self.differences.values().map(|difference| difference.abs()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(metrics: &[(&str, f64)], confusion: Option<Vec<Vec<u64>>>) -> TestRecord {
        let metrics = metrics.iter().map(|(name, value)| ((*name).to_owned(), Number(*value))).collect();
        TestRecord { weights: "best".to_owned(), metrics, confusion, ..TestRecord::default() }
    }

    fn agreement(found: &[(&str, f64)], stated: &[(&str, f64)], magnitude: f64) -> Agreement {
        let stated = HistoryMetrics { metrics: record(stated, None).metrics, confusion: None, has_confusion: false };
        Agreement::new(&record(found, None), &stated, &[], magnitude)
    }

    #[test]
    fn what_only_one_side_states_is_named() {
        let found = record(&[("loss", 0.5), ("acc", 1.0)], Some(vec![vec![4, 2], vec![3, 3]]));
        let stated = HistoryMetrics {
            metrics: record(&[("loss", 0.5), ("f1", 1.0)], None).metrics,
            confusion: None,
            has_confusion: true,
        };
        let expected = ["loss", "acc"].map(str::to_owned);
        let agreement = Agreement::new(&found, &stated, &expected, 1.0);
        assert_eq!(
            (agreement.not_stated.join(" "), agreement.not_found.join(" ")),
            ("acc confusion".to_owned(), "f1".to_owned())
        );
        assert!(agreement.is_same() && !agreement.is_complete());
        let none = HistoryMetrics { metrics: IndexMap::new(), confusion: None, has_confusion: false };
        assert!(!Agreement::new(&found, &none, &[], 1.0).is_complete(), "nothing was compared");
    }

    #[test]
    fn rounding_is_no_difference_and_one_row_of_ten_thousand_is() {
        assert!(
            agreement(&[("loss", 0.145_600_1), ("acc", 0.9697)], &[("loss", 0.1456), ("acc", 0.9697)], 1.0).is_same()
        );
        let one_row = agreement(&[("loss", 0.1456), ("acc", 0.9698)], &[("loss", 0.1456), ("acc", 0.9697)], 1.0);
        assert_eq!(one_row.differing, ["acc"]);
        assert!((one_row.largest() - 1e-4).abs() < 1e-12);
        assert!(!agreement(&[("loss", 0.0011)], &[("loss", 0.001)], 1.0).is_same());
    }

    #[test]
    fn errors_that_cancel_are_rounded_by_the_size_of_what_is_predicted() {
        let (found, stated) = ([("me", 0.000_11)], [("me", 0.000_1)]);
        assert!(agreement(&found, &stated, 150.0).is_same());
        assert!(!agreement(&found, &stated, 1.0).is_same());
    }

    #[test]
    fn what_is_undefined_in_both_is_the_same_and_in_one_is_not() {
        let (nan, number) = ([("f1", f64::NAN)], [("f1", 0.5)]);
        assert!(agreement(&nan, &nan, 1.0).is_same());
        assert!(!agreement(&nan, &number, 1.0).is_same());
        assert!(!agreement(&number, &nan, 1.0).is_same());
    }

    #[test]
    fn rows_that_are_counted_elsewhere_are_a_difference() {
        let stated = HistoryMetrics {
            metrics: IndexMap::new(),
            confusion: Some(vec![vec![5, 1], vec![2, 4]]),
            has_confusion: true,
        };
        let agreement = Agreement::new(&record(&[], Some(vec![vec![4, 2], vec![3, 3]])), &stated, &[], 1.0);
        assert_eq!((agreement.moved, agreement.is_same()), (2, false));
    }
}
