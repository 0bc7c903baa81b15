//! A data set before any split: what is known of it before it is loaded, and its rows once it is.

use serde::{Deserialize, Serialize};

use crate::data::rows::Rows;
use crate::data::table::form::Form;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// What is known of a data set before it is loaded: enough to check an experiment against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// The shape of one row's features.
    pub sample: Shape,
    /// What is to be predicted.
    pub target: Target,
    /// How many rows there are to train on, before any split.
    pub rows: usize,
    /// How many test rows the data set brings of its own.
    pub test_rows: usize,
    /// The names of the classes, labels or values, in their order.
    #[serde(skip)] // what is stored of a run's data names them beside it
    pub classes: Vec<String>,
    /// What to look out for in the user's own files.
    pub notes: Vec<String>,
}

/// Rows as a source gives them, before any split.
#[derive(Debug)]
pub struct Loaded {
    /// SHA-256 over the files that the rows come from.
    pub sha256: String,
    /// What is to be predicted.
    pub target: Target,
    /// The names of the classes, labels or values, in their order.
    pub classes: Vec<String>,
    /// The rows to train on.
    pub rows: Rows,
    /// The test rows that the data set brings of its own.
    pub test: Option<Rows>,
    /// The largest value that a feature can have: what the scale `unit` divides by.
    pub largest: f64,
    /// What the rows are made of.
    pub form: Form,
}
