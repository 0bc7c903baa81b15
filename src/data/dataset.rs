//! A data set before it is split: its description and its rows.

use serde::{Deserialize, Serialize};

use crate::data::rows::Rows;
use crate::data::split::Parts;
use crate::data::split::stated_rows::StatedRows;
use crate::data::table::form::Form;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// Description of a data set, known before its rows are loaded. An experiment is checked against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// Shape of the features of one row.
    pub sample: Shape,
    /// What is predicted.
    pub target: Target,
    /// Number of training rows, before any split.
    pub rows: usize,
    /// Number of test rows that the data set has already split off.
    pub test_rows: usize,
    /// Number of validation rows that the data set has already split off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub validation_rows: usize,
    /// Number of token ids of a text, an upper bound of the size of every vocabulary; `None` if the rows are no texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ids: Option<usize>,
    /// Names of the classes, labels or values.
    #[serde(skip)] // stored next to this in `FittedDataRecord`
    pub classes: Vec<String>,
    /// Notes about the user's own files, shown before training.
    pub notes: Vec<String>,
}

impl DatasetInfo {
    /// Describes a data set of training rows only.
    pub fn new(sample: Shape, target: Target, rows: usize, classes: Vec<String>) -> DatasetInfo {
        let (test_rows, validation_rows) = (0, 0);
        DatasetInfo { sample, target, rows, test_rows, validation_rows, token_ids: None, classes, notes: Vec::new() }
    }
}

/// Returns the names of classes without names: `0`, `1`, …
pub fn numbered_classes(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Rows of a data set, before any split.
#[derive(Debug)]
pub struct Loaded {
    /// SHA-256 over the files of the data set.
    pub sha256: String,
    /// What is predicted.
    pub target: Target,
    /// Names of the classes, labels or values.
    pub classes: Vec<String>,
    /// Training rows.
    pub rows: Rows,
    /// Group of each training row, if the split is by group.
    pub groups: Option<Vec<i64>>,
    /// Validation rows that the data set has already split off.
    pub validation: Option<Rows>,
    /// Test rows that the data set has already split off.
    pub test: Option<Rows>,
    /// Largest possible value of a feature: `scale = "unit"` divides by it.
    pub largest: f64,
    /// Form of a row: points, an image or a table.
    pub form: Form,
    /// Parts of the only split, with the numbers of the rows in the source, if the rows are now in the order of these parts.
    pub(crate) arranged: Option<Parts>,
}

impl Loaded {
    /// Creates a data set of training rows only. The largest value of a feature is 1.
    pub fn new(sha256: String, target: Target, classes: Vec<String>, rows: Rows, form: Form) -> Loaded {
        Loaded {
            sha256,
            target,
            classes,
            rows,
            groups: None,
            validation: None,
            test: None,
            largest: 1.0,
            form,
            arranged: None,
        }
    }

    /// Divides the rows into the parts that columns state, if any.
    pub(crate) fn with_parts(self, parts: Option<StatedRows>) -> Loaded {
        let Some(parts) = parts else { return self };
        let rows = &self.rows;
        Loaded {
            groups: parts.groups,
            validation: parts.validation.map(|part| rows.take(&part)),
            test: parts.test.map(|part| rows.take(&part)),
            rows: parts.training.map_or_else(|| rows.shallow_clone(), |part| rows.take(&part)),
            ..self
        }
    }
}
