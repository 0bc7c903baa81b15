//! A history that another program wrote.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::history::number::Number;

/// A history that another program wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// What it was written as.
    pub format: Format,
    /// The metrics under our names, each with its points in the order of epochs, one for an epoch at most; at least
    /// one metric, and none without a point.
    pub series: IndexMap<String, Vec<AtEpoch>>,
    /// When epochs ended, as far as the format says.
    pub clock: BTreeMap<usize, Moment>,
    /// What was left out, or taken in one way of several; fragments in small letters without a full stop.
    pub notes: Vec<String>,
}

/// A metric's value in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtEpoch {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The value.
    pub value: Number,
}

/// The end of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// How many batches had been trained on.
    pub step: Option<u64>,
    /// Seconds since the run's start.
    pub seconds: Option<f64>,
}

/// What a history was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `History.history` of Keras, as JSON.
    Keras,
    /// A table with a row for each epoch or more: Keras's or Lightning's `CSVLogger`.
    CsvLog,
    /// `history.json` of skorch.
    Skorch,
    /// `trainer_state.json` of Hugging Face's `Trainer`, or its `log_history` alone.
    Trainer,
    /// A list of JSON objects, one for each epoch: pandas' `to_json(orient="records")`.
    Records,
    /// Event files of TensorBoard.
    TensorBoard,
}

impl Format {
    /// In a few words.
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
