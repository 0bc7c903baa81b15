//! Histories that other programs wrote, read so that they can be laid beside ours.
//!
//! Each format is a file beside this one. Whatever it calls them, metrics come out under our names (see
//! [`names`]), epochs are counted from 1, and each metric has points of its own: what a program did not record
//! is absent, and never a NaN. A NaN or an infinity that it did record stays one. What cannot be read of a file that is
//! otherwise fine is left out and told in a note.

pub mod keras;
pub mod loose_json;
pub mod names;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use indexmap::IndexMap;

use crate::hint::Hint;
use crate::history::number::Number;

/// A history that another program wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// What it was written as.
    pub format: Format,
    /// The metrics under our names, each with its points in the order of epochs, one for an epoch at most.
    pub series: IndexMap<String, Vec<AtEpoch>>,
    /// When epochs ended, as far as the format says.
    pub clock: BTreeMap<usize, Moment>,
    /// What was left out or taken in one way of several, in sentences without a full stop.
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
            Format::TensorBoard => "TensorBoard events",
        }
    }
}

/// What hints say of the formats.
const READABLE: &str = "a history of another program is Keras's or skorch's JSON, a CSV log with a column `epoch`, or TensorBoard's event files";

/// Reads a history that another program wrote.
///
/// # Errors
/// When the file cannot be read, or no epoch of any metric can be made out in it.
pub fn read(path: &Path) -> anyhow::Result<Foreign> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("failed to read `{shown}`"))?;
    let read = keras::read(&bytes);
    read.with_context(|| format!("failed to read `{shown}`")).map_err(|error| match error.downcast_ref::<Hint>() {
        Some(_) => error,
        None => error.context(Hint(READABLE.to_owned())),
    })
}

impl Foreign {
    fn new(format: Format) -> Self {
        Foreign { format, series: IndexMap::new(), clock: BTreeMap::new(), notes: Vec::new() }
    }

    /// Adds a metric by the name that its program has for it. Where two of its names are one of ours, the second stays
    /// as it is.
    fn add(&mut self, theirs: &str, points: Vec<AtEpoch>) {
        if points.is_empty() {
            return;
        }
        let ours = names::ours(theirs, None);
        let name = match self.series.contains_key(&ours) {
            true => theirs.to_owned(),
            false => ours,
        };
        self.series.insert(name, points);
    }

    /// As it is, if there is anything in it.
    fn checked(self) -> anyhow::Result<Foreign> {
        match self.series.is_empty() {
            true => Err(anyhow!("it holds no metric of any epoch")),
            false => Ok(self),
        }
    }
}
