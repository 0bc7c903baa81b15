//! A history of another program.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::history::number::Number;

/// A history of another program.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// Format of the file.
    pub format: Format,
    /// The metrics by the names of this program, each with at most one point per epoch, ordered by epoch. There is at
    /// least one metric, and each has at least one point.
    pub series: IndexMap<String, Vec<AtEpoch>>,
    /// Steps and times of the epoch ends, if the format has them.
    pub clock: BTreeMap<usize, EpochEnd>,
    /// Notes on skipped or ambiguous values: lowercase fragments without a full stop.
    pub notes: Vec<String>,
}

/// The value of a metric in one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtEpoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// The value.
    pub value: Number,
}

/// Step and time at the end of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpochEnd {
    /// Number of training batches so far.
    pub step: Option<u64>,
    /// Seconds since the start of the run.
    pub seconds: Option<f64>,
}

/// Format of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Keras's `History.history` as JSON.
    Keras,
    /// A CSV file with one or more rows per epoch, as from Keras's or Lightning's `CSVLogger`.
    CsvLog,
    /// skorch's `history.json`.
    Skorch,
    /// The `trainer_state.json` of Hugging Face's `Trainer`, or only its `log_history`.
    Trainer,
    /// A list of JSON objects, one per epoch: pandas' `to_json(orient="records")`.
    Records,
    /// TensorBoard event files.
    TensorBoard,
}

impl Format {
    /// Returns the name of the format.
    pub fn word(self) -> &'static str {
        match self {
            Format::Keras => "Keras history",
            Format::CsvLog => "CSV log",
            Format::Skorch => "skorch history",
            Format::Trainer => "Trainer log",
            Format::Records => "JSON records",
            Format::TensorBoard => "TensorBoard events",
        }
    }
}
