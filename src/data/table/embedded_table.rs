//! Built-in tables whose feature columns are numbers without missing values.

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::store::checksum::sha256;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::target_kind::TargetKind;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// A built-in table with its target.
pub struct EmbeddedTable {
    /// Returns the table with all its columns.
    pub table: fn() -> Table,
    /// The files of the table, as published.
    pub files: &'static [&'static [u8]],
    /// Target column.
    pub target: &'static str,
    /// Kind of the target.
    pub task: TargetKind,
    /// Number of rows, number of features and target: known without reading the table. A test compares them with the
    /// table.
    pub size: (usize, i64, Target),
    /// Class names, if the table has numbers instead.
    pub classes: Option<&'static [&'static str]>,
}

impl EmbeddedTable {
    /// Returns the description of the data set.
    pub fn info(&self) -> DatasetInfo {
        let (rows, features, target) = self.size;
        let classes = self.classes.unwrap_or(&[self.target]).iter().map(|name| (*name).to_owned()).collect();
        DatasetInfo::new(Shape::from([features]), target, rows, classes)
    }

    /// Returns the SHA-256 over the files.
    pub fn checksum(&self) -> String {
        sha256(&self.files.concat())
    }

    /// Returns the rows.
    ///
    /// # Errors
    /// When the table has other columns or values than `target` and `task` require.
    pub fn load(&self) -> Result<Loaded, Invalid> {
        let target = [self.target.to_owned()];
        let roles = ColumnRoles { task: Some(self.task), ..ColumnRoles::new(&target) };
        let loaded = roles.select(&(self.table)())?.load(self.checksum(), FieldFormat::new(','));
        Ok(Loaded { classes: self.info().classes, ..loaded })
    }
}
