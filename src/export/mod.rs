//! Exports histories to other tools.
//!
//! Each format has its own file in this folder. It converts trials to files, each a relative path with its content in
//! memory, so that nothing is written until all conversions have succeeded. The same histories give the same bytes.

pub mod csv;
pub mod files;
pub mod keras;
pub mod tensorboard;
pub mod write_files;

use crate::export::files::{File, Trial};

/// Export format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TensorBoard event files, one folder per trial.
    TensorBoard,
    /// Two tables: epochs and trials.
    Csv,
    /// Keras's `History.history`, one JSON file per trial.
    Keras,
}

impl Format {
    /// Returns the format's name on the command line, which is also the name of its folder.
    pub fn word(self) -> &'static str {
        match self {
            Format::TensorBoard => "tensorboard",
            Format::Csv => "csv",
            Format::Keras => "keras",
        }
    }

    /// Returns the files of these trials, in their order.
    ///
    /// # Errors
    /// When a trial cannot be written in this format.
    pub fn files(self, trials: &[Trial]) -> anyhow::Result<Vec<File>> {
        match self {
            Format::TensorBoard => Ok(trials.iter().map(tensorboard::file).collect()),
            Format::Csv => Ok(csv::files(trials)),
            Format::Keras => trials.iter().map(keras::file).collect(),
        }
    }
}
