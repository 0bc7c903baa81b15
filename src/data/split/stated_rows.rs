//! Rows of a table that its columns split off, sort or group.

use crate::data::split::OwnRows;
use crate::data::split::split_column::Side;

/// Parts of the rows of a table that columns state, as indices among the rows that are used.
#[derive(Debug, Default)]
pub(crate) struct StatedRows {
    /// Rows that are not split off, in the order of `order_by` if it is set; `None` if these are all rows in their order.
    pub(crate) training: Option<Vec<usize>>,
    /// Validation rows.
    pub(crate) validation: Option<Vec<usize>>,
    /// Test rows.
    pub(crate) test: Option<Vec<usize>>,
    /// Group of each of the training rows, by the order of the names.
    pub(crate) groups: Option<Vec<i64>>,
}

impl StatedRows {
    /// Returns the numbers of training, validation and test rows.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [&self.training, &self.validation, &self.test].map(|rows| rows.as_ref().map_or(0, Vec::len))
    }

    /// Returns the rows as those that the data set has already split off.
    pub(crate) fn own(&self) -> OwnRows {
        let [_, validation, test] = self.counts();
        OwnRows { validation, test }
    }

    /// Returns the rows of each part.
    pub(crate) fn parts(&self) -> [(Side, &[usize]); 3] {
        let rows = [&self.training, &self.validation, &self.test];
        let [training, validation, test] = rows.map(|rows| rows.as_deref().unwrap_or_default());
        [(Side::Training, training), (Side::Validation, validation), (Side::Test, test)]
    }
}
