//! Selects the rows of a table by their missing values, and reports texts that count as missing. Missing values are filled
//! in by [`crate::data::table::encode`].

use crate::config::check::Invalid;
use crate::data::table::column::Column;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::encode::Missing;
use crate::data::table::values::Values;

/// Maximum number of classes that a hint lists.
const MOST_LISTED: usize = 8;

impl ColumnRoles<'_> {
    /// Returns the rows that are used: all rows, or those without missing values in the selected columns.
    pub(crate) fn rows_to_keep(
        &self,
        table: &Table,
        features: &[&Column],
        needed: &[&Column],
    ) -> Result<Vec<usize>, Invalid> {
        let all = || (0..table.rows()).collect::<Vec<usize>>();
        if self.missing == Missing::Drop {
            let is_complete = |row: &usize| features.iter().chain(needed).all(|column| !column.is_missing(*row));
            let rows: Vec<usize> = all().into_iter().filter(is_complete).collect();
            return match rows.is_empty() {
                true => Err(Invalid::new("missing", "is `drop`, but every row has a missing value")),
                false => Ok(rows),
            };
        }
        let fault = |column: &Column, (row, cell): (usize, &str), what: &str, otherwise: &str| {
            let found = match cell {
                "" => "has no value".to_owned(),
                cell => format!("has `{cell}`, which counts as missing"),
            };
            let place = table.place(row);
            let default = if self.missing == Missing::Error { " (the default)" } else { "" };
            let policy = self.missing.name();
            let message = format!("is `{policy}`{default}, but {place}, {what} `{}`, {found}", column.name);
            let hint = match self.if_it_is_a_value(column) {
                Some(line) => format!("{line}; otherwise {otherwise}"),
                None => otherwise.to_owned(),
            };
            Invalid::new("missing", message).hint(hint)
        };
        for column in needed {
            if let Some(missing) = column.first_missing() {
                let what = if self.weights == Some(column.name.as_str()) { "weight" } else { "target" };
                return Err(fault(column, missing, what, "write `missing = \"drop\"` to drop these rows"));
            }
        }
        for column in features.iter().filter(|_| self.missing == Missing::Error) {
            if let Some(missing) = column.first_missing() {
                let otherwise = "write `missing = \"drop\"` to drop these rows, or `\"mean\"` or `\"most_frequent\"` to fill them in";
                return Err(fault(column, missing, "column", otherwise));
            }
        }
        Ok(all())
    }

    /// Returns the setting to write if a cell that counts as missing is a value: text in a text column.
    fn if_it_is_a_value(&self, column: &Column) -> Option<String> {
        let (_, cell) = column.first_missing().filter(|(_, cell)| !cell.is_empty())?;
        let Values::Text { distinct, .. } = &column.values else { return None };
        Some(match self.target.contains(&column.name) && distinct.len() < MOST_LISTED {
            true => {
                let classes: Vec<String> = std::iter::once(cell)
                    .chain(distinct.iter().map(String::as_str))
                    .map(|c| format!("{c:?}"))
                    .collect();
                format!("if `{cell}` is a class, write `classes = [{}]`", classes.join(", "))
            }
            false => format!("if `{cell}` is no missing value, list the missing values: `missing_values = [\"\"]`"),
        })
    }

    /// Returns a note on rows that are dropped because of a text that counts as missing; `None` if no rows are dropped,
    /// or the fields are empty.
    pub(crate) fn left_out(
        &self,
        table: &Table,
        kept: &[usize],
        features: &[&Column],
        needed: &[&Column],
    ) -> Option<String> {
        let count = table.rows() - kept.len();
        let column = needed.iter().chain(features).find(|column| self.if_it_is_a_value(column).is_some());
        let column = column.filter(|_| count > 0)?;
        let (row, cell) = column.first_missing()?;
        let (rows, place) = (table.rows(), table.place(row));
        Some(format!(
            "`missing = \"drop\"` drops {count} of {rows} rows: {place}, column `{}`, has `{cell}`, which counts as missing; {}",
            column.name,
            self.if_it_is_a_value(column)?
        ))
    }
}

impl Missing {
    fn name(self) -> &'static str {
        match self {
            Missing::Error => "error",
            Missing::Drop => "drop",
            Missing::Mean => "mean",
            Missing::MostFrequent => "most_frequent",
        }
    }
}
