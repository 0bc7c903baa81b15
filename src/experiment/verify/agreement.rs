//! Figures taken anew held against those that a history states.
//!
//! A stack computes several networks at once and a GPU adds up in another order, so figures of the same network agree
//! to rounding, not always to the last digit.

use indexmap::IndexMap;

use crate::experiment::store::trial_data::Part;
use crate::history::History;
use crate::history::number::Number;
use crate::history::tested::TestRecord;
use crate::train::keep::Keep;

/// What a history states of a part of its rows.
#[derive(Clone, Debug)]
pub struct Stated {
    /// Loss and metrics by their names, without `val_`.
    pub metrics: IndexMap<String, Number>,
    /// The confusion matrix, where it states one.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Whether it should state one of classes: a history does so of test rows.
    pub has_confusion: bool,
}

impl Stated {
    /// What a history states of the weights that were kept, on this part. Of a network it states nothing of training
    /// rows: figures that are taken while the weights change are no figures of the ones that were kept.
    pub fn of(history: &History, keep: Keep, part: Part) -> Option<Stated> {
        let of_validation = |name: &str, value: f64| Some((name.strip_prefix("val_")?.to_owned(), Number(value)));
        match part {
            Part::Training if history.tree.is_some() && history.data.resample.is_none() => {
                let curves = &history.history;
                let own = curves.series.keys().filter(|name| !name.starts_with("val_") && *name != "seconds");
                let metrics = own.filter_map(|name| Some((name.clone(), Number(curves.at(1, name)?)))).collect();
                Some(Stated { metrics, confusion: None, has_confusion: false })
            }
            Part::Training => None,
            Part::Test => history.test.as_ref().map(|test| Stated {
                metrics: test.metrics.clone(),
                confusion: test.confusion.clone(),
                has_confusion: true,
            }),
            Part::Validation => {
                let epoch = kept_epoch(history, keep)?;
                let curves = &history.history;
                let metrics: IndexMap<String, Number> =
                    curves.series.keys().filter_map(|name| of_validation(name, curves.at(epoch, name)?)).collect();
                (!metrics.is_empty()).then_some(Stated { metrics, confusion: None, has_confusion: false })
            }
        }
    }
}

/// The epoch whose weights a trial has kept; `None` where none was completed.
pub fn kept_epoch(history: &History, keep: Keep) -> Option<usize> {
    let best = history.best.as_ref().map(|best| best.epoch).filter(|_| keep == Keep::Best);
    best.or_else(|| history.history.epoch.last().copied())
}

/// How far figures agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Each figure by its name, and by how much it differs; NaN where only one of both is a number.
    pub differences: IndexMap<String, f64>,
    /// Which of them differ by more than rounding.
    pub differing: Vec<String>,
    /// How many rows the confusion matrices count otherwise, where both are known.
    pub moved: u64,
    /// What the history lacks of the metrics that it should state.
    pub not_stated: Vec<String>,
    /// What the history states and was not found.
    pub not_found: Vec<String>,
}

impl Agreement {
    /// Compares metrics with those that a history states. `expected` are the names of those that it should state;
    /// `magnitude` is how large outputs are, 1 for classes and labels.
    pub fn of(found: &TestRecord, stated: &Stated, expected: &[String], magnitude: f64) -> Agreement {
        let mut differences = IndexMap::new();
        let mut differing = Vec::new();
        for (name, Number(stated)) in &stated.metrics {
            let Some(Number(found)) = found.metrics.get(name) else { continue };
            // the text of a number may be read one or two last digits off
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

    /// Whether nothing differs, but for rounding, of what both state.
    pub fn is_same(&self) -> bool {
        self.differing.is_empty() && self.moved == 0
    }

    /// Whether everything that one of them states was compared, one metric at least.
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
        let stated = Stated { metrics: record(stated, None).metrics, confusion: None, has_confusion: false };
        Agreement::of(&record(found, None), &stated, &[], magnitude)
    }

    #[test]
    fn what_only_one_side_states_is_named() {
        let found = record(&[("loss", 0.5), ("acc", 1.0)], Some(vec![vec![4, 2], vec![3, 3]]));
        let stated = Stated {
            metrics: record(&[("loss", 0.5), ("f1", 1.0)], None).metrics,
            confusion: None,
            has_confusion: true,
        };
        let expected = ["loss", "acc"].map(str::to_owned);
        let agreement = Agreement::of(&found, &stated, &expected, 1.0);
        assert_eq!(
            (agreement.not_stated.join(" "), agreement.not_found.join(" ")),
            ("acc confusion".to_owned(), "f1".to_owned())
        );
        assert!(agreement.is_same() && !agreement.is_complete());
        let none = Stated { metrics: IndexMap::new(), confusion: None, has_confusion: false };
        assert!(!Agreement::of(&found, &none, &[], 1.0).is_complete(), "nothing was compared");
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
        let stated =
            Stated { metrics: IndexMap::new(), confusion: Some(vec![vec![5, 1], vec![2, 4]]), has_confusion: true };
        let agreement = Agreement::of(&record(&[], Some(vec![vec![4, 2], vec![3, 3]])), &stated, &[], 1.0);
        assert_eq!((agreement.moved, agreement.is_same()), (2, false));
    }
}
