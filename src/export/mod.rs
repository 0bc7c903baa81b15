//! Histories written for other tools.
//!
//! Each format is a file beside this one: it takes trials and gives files, by their paths below a folder and whole in
//! memory, so that nothing is written before all is known. The same histories give the same bytes.

pub mod csv;
pub mod keras;
pub mod place;
pub mod tensorboard;

use std::path::PathBuf;

use crate::history::History;

/// What histories are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Event files, a folder for each trial.
    TensorBoard,
    /// Two tables, of epochs and of trials.
    Csv,
    /// `History.history`, a JSON file for each trial.
    Keras,
}

impl Format {
    /// The word that names it on the command line, and its folder.
    pub fn word(self) -> &'static str {
        match self {
            Format::TensorBoard => "tensorboard",
            Format::Csv => "csv",
            Format::Keras => "keras",
        }
    }

    /// The files of these trials, in their order.
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

/// A trial to be written.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// The name of its files, without their endings.
    pub stem: String,
    /// Its history.
    pub history: &'a History,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder that all are written to.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}
