//! Tables in the binary whose columns, all but the target, are numbers with none missing.

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::store::checksum::sha256;
use crate::data::table::column_roles::{ColumnRoles, Selected};
use crate::data::table::csv_table::Table;
use crate::data::table::reading::Reading;
use crate::data::table::target_kind::Task;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// A table in the binary, and what is predicted of it.
pub(super) struct EmbeddedTable {
    /// The whole table.
    pub(super) table: fn() -> Table,
    /// The files that it is made of, as their publisher wrote them.
    pub(super) files: &'static [&'static [u8]],
    /// The column to predict.
    pub(super) target: &'static str,
    /// What it is taken for.
    pub(super) task: Task,
    /// How many rows and features there are, and what is predicted: known without reading the table, which a test holds
    /// against it.
    pub(super) size: (usize, i64, Target),
    /// What the classes are called, where the table numbers them.
    pub(super) classes: Option<&'static [&'static str]>,
}

impl EmbeddedTable {
    fn select<'t>(&self, table: &'t Table) -> Result<Selected<'t>, Invalid> {
        ColumnRoles { task: Some(self.task), ..ColumnRoles::of(&[self.target.to_owned()]) }.select(table)
    }

    pub(super) fn card(&self) -> DatasetInfo {
        let (rows, features, target) = self.size;
        let classes = self.classes.unwrap_or(&[self.target]).iter().map(|name| (*name).to_owned()).collect();
        DatasetInfo { sample: Shape::from([features]), target, rows, test_rows: 0, classes, notes: Vec::new() }
    }

    pub(super) fn load(&self) -> Result<Loaded, Invalid> {
        let loaded = self.select(&(self.table)())?.load(sha256(&self.files.concat()), Reading::new(','));
        Ok(match self.classes {
            Some(names) => Loaded { classes: names.iter().map(|name| (*name).to_owned()).collect(), ..loaded },
            None => loaded,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::{breast_cancer, diabetes};

    #[test]
    fn what_is_known_without_reading_a_table_is_what_it_holds() {
        for embedded in [breast_cancer::EMBEDDED, diabetes::EMBEDDED] {
            let table = (embedded.table)();
            let classes = embedded.load().unwrap().classes;
            assert_eq!(DatasetInfo { classes, ..embedded.select(&table).unwrap().card() }, embedded.card());
        }
    }
}
