//! Synthetic histories and studies for the tests of the command-line output.

use std::borrow::Cow;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::json;

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::text::text_style::TextStyle;
use crate::history::curves::Curves;
use crate::history::diagnosis::diagnose;
use crate::history::number::Number;
use crate::history::test_record::TestRecord;
use crate::history::{Best, DataRecord, History, LayerRecord, NetworkRecord, RowCounts, Status, trial_for_tests};

/// A page of 80 columns without colors.
pub(super) const PLAIN: TextStyle = TextStyle { width: 80, styled: false };

/// A history that the methods below extend.
pub(super) struct HistoryFixture(pub(super) History);

/// Returns the history of a trial with these series, one value per epoch. Its diagnosis follows from the curves and from a
/// constant-prediction baseline with a loss of 1.
pub(super) fn history(variant: &str, seed: i64, series: &[(&str, &[f64])]) -> HistoryFixture {
    let mut history = Curves::default();
    let epochs = series.first().map_or(0, |(_, values)| values.len());
    for epoch in 0..epochs {
        let row: Vec<(&str, f64)> = series.iter().map(|(name, values)| (*name, values[epoch])).collect();
        history.push(epoch + 1, &row);
    }
    let blank = trial_for_tests(variant, seed, 0.0);
    let rows = RowCounts { train: 100, validation: 20, test: 111 };
    HistoryFixture(History {
        data: DataRecord { rows, ..blank.data },
        network: Some(NetworkRecord { layers: Vec::new(), parameters: 1000 }),
        config: json!({ "train": { "epochs": epochs, "keep": "last" } }),
        best: (epochs > 0).then(|| Best { epoch: epochs, monitor: "loss".to_owned(), metrics: IndexMap::new() }),
        diagnosis: diagnose(&history, 1.0),
        history,
        ..blank
    })
}

impl HistoryFixture {
    /// Adds these test metrics.
    pub(super) fn tested(mut self, metrics: &[(&str, f64)]) -> HistoryFixture {
        self.0.test = Some(TestRecord {
            weights: "last".to_owned(),
            metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), Number(*value))).collect(),
            ..TestRecord::default()
        });
        self
    }

    /// Sets the status and the configured number of epochs.
    pub(super) fn ended(mut self, status: Status, epochs: usize) -> HistoryFixture {
        self.0.status = status;
        self.0.config = json!({ "train": { "epochs": epochs, "keep": "last" } });
        self
    }

    /// Sets the fold.
    pub(super) fn with_fold(mut self, fold: usize) -> HistoryFixture {
        self.0.fold = Some(fold);
        self
    }

    /// Sets a network with layers of these kinds.
    pub(super) fn with_layers(mut self, kinds: &[&str]) -> HistoryFixture {
        let layer = |(number, kind): (usize, &&str)| LayerRecord {
            name: number.to_string(),
            kind: (*kind).to_owned(),
            output: vec![1],
            parameters: 1,
        };
        let layers = kinds.iter().enumerate().map(layer).collect();
        self.0.network = Some(NetworkRecord { layers, parameters: 1000 });
        self
    }
}

/// Returns a run of these variants.
pub(super) fn run<'a>(variants: &[&str], histories: &'a [History]) -> TrainedRun<'a> {
    TrainedRun {
        name: "idea".to_owned(),
        folder: PathBuf::from("runs/idea/1"),
        variants: variants.iter().map(|name| (*name).to_owned()).collect(),
        is_part: false,
        histories: Cow::Borrowed(histories),
        peak_memory: None,
        seconds: None,
        peak_gpu_memory: None,
        planned: None,
    }
}

/// Returns the width of the longest line, in characters.
pub(super) fn width(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or_default()
}
