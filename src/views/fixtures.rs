//! Histories for the tests of views.

use serde_json::json;

use crate::history::curves::Curves;
use crate::history::diagnosis::diagnose;
use crate::history::number::Number;
use crate::history::test_record::TestRecord;
use crate::history::{History, NetworkRecord, RowCounts, Status, trial_for_tests};

/// Returns a trial with these series by epoch, diagnosed beside a constant prediction's loss of 1.
pub(super) fn history(variant: &str, seed: i64, series: &[(&str, &[f64])]) -> History {
    let mut curves = Curves::default();
    let epochs = series.first().map_or(0, |(_, values)| values.len());
    for epoch in 0..epochs {
        let row: Vec<(&str, f64)> = series.iter().map(|(name, values)| (*name, values[epoch])).collect();
        curves.push(epoch + 1, &row);
    }
    let mut history = trial_for_tests(variant, seed, 0.0);
    history.data.rows = RowCounts { train: 100, validation: 20, test: 111 };
    history.network = Some(NetworkRecord { layers: Vec::new(), parameters: 1000 });
    history.config = json!({ "train": { "epochs": epochs, "keep": "last", "loss": "mse" } });
    history.diagnosis = diagnose(&curves, 1.0);
    history.history = curves;
    history
}

/// Returns the trial with test metrics of the last epoch.
pub(super) fn tested(history: History, metrics: &[(&str, f64)]) -> History {
    let metrics = metrics.iter().map(|(name, value)| ((*name).to_owned(), Number(*value))).collect();
    let test = TestRecord { weights: "last".to_owned(), metrics, ..TestRecord::default() };
    History { test: Some(test), ..history }
}

/// Returns the trial with this status, after some of this number of epochs.
pub(super) fn ended(mut history: History, status: Status, epochs: usize) -> History {
    history.config["train"]["epochs"] = epochs.into();
    History { status, ..history }
}
