//! Selects the rows of a table by their missing values, and reports texts that count as missing. Missing values are filled
//! in by [`crate::data::table::encode`].

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::config::values::variant_name;
use crate::data::table::column::Column;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::encode::Missing;
use crate::data::table::values::Values;
use crate::history::number::count as grouped;

/// Maximum number of classes that a hint lists.
const MOST_LISTED: usize = 8;

impl ColumnRoles<'_> {
    /// Returns the rows that are used: all rows, or those without missing values in the selected columns. Targets and
    /// weights are never filled in: rows without them are dropped.
    pub(crate) fn rows_to_keep(
        &self,
        table: &Table,
        features: &[&Column],
        needed: &[&Column],
    ) -> Result<Vec<usize>, Invalid> {
        if self.missing != Missing::Error {
            let dropped_by = if self.missing == Missing::Drop { features } else { &[] };
            let is_complete = |row: &usize| dropped_by.iter().chain(needed).all(|column| !column.is_missing(*row));
            let rows: Vec<usize> = (0..table.rows()).filter(is_complete).collect();
            let message = match self.missing {
                Missing::Drop => "is `drop`, but every row has a missing value".to_owned(),
                other => format!("is `{}`, but no row has a target", variant_name(&other)),
            };
            return if rows.is_empty() { Err(Invalid::new("missing", message)) } else { Ok(rows) };
        }
        let fault = |column: &Column, (row, cell): (usize, &str), what: &str, otherwise: &str| {
            let found = match cell {
                "" => "has no value".to_owned(),
                cell => format!("has `{cell}`, which counts as missing"),
            };
            let place = table.place(row);
            let message = format!("is `error` (the default), but {place}, {what} `{}`, {found}", column.name);
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
        for column in features {
            if let Some(missing) = column.first_missing() {
                let otherwise = "write `missing = \"drop\"` to drop these rows, or `\"mean\"` or `\"most_frequent\"` to fill them in";
                return Err(fault(column, missing, "column", otherwise));
            }
        }
        Ok((0..table.rows()).collect())
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
            false => format!(
                "if `{cell}` is not a missing value, list the texts that count as missing: `missing_values = [\"\"]`"
            ),
        })
    }

    /// Returns a note on rows that are dropped because of a text that counts as missing, or because they have no target
    /// although missing values are filled in; `None` if no rows are dropped, or `drop` drops empty fields.
    pub(crate) fn left_out(
        &self,
        table: &Table,
        kept: &[usize],
        features: &[&Column],
        needed: &[&Column],
    ) -> Option<String> {
        let (rows, count) = (grouped(table.rows()), table.rows() - kept.len());
        if count == 0 {
            return None;
        }
        let (count, policy) = (grouped(count), variant_name(&self.missing));
        let dropped_by = if self.missing == Missing::Drop { features } else { &[] };
        let as_text = needed.iter().chain(dropped_by).find_map(|column| Some((column, self.if_it_is_a_value(column)?)));
        let Some((column, line)) = as_text else {
            let column = needed.iter().find(|column| column.first_missing().is_some());
            let column = column.filter(|_| self.missing != Missing::Drop)?;
            return Some(format!("{count} of {rows} rows are dropped: {}", not_filled_in(&[&column.name])));
        };
        let (row, cell) = column.first_missing()?;
        let (place, name) = (table.place(row), &column.name);
        Some(format!(
            "`missing = \"{policy}\"` drops {count} of {rows} rows: {place}, column `{name}`, has `{cell}`, which counts as missing; {line}"
        ))
    }
}

/// Returns why rows without a value in these columns are not used although missing values are filled in.
pub fn not_filled_in(columns: &[&str]) -> String {
    format!("they have no value in {}; only features are filled in", suggest::either(columns))
}
