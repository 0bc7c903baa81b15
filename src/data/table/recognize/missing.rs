//! Which rows of a table are used, by what is missing in them, and what is said of a text that counts as missing.

use crate::config::check::Invalid;
use crate::data::table::column::Column;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::encode::Missing;
use crate::data::table::values::Values;

/// More classes than this are not listed in a hint.
const MOST_LISTED: usize = 8;

impl ColumnRoles<'_> {
    /// The rows that are used: all, or those where nothing that is used is missing.
    pub(crate) fn rows_to_keep(
        &self,
        table: &Table,
        features: &[&Column],
        needed: &[&Column],
    ) -> Result<Vec<usize>, Invalid> {
        let all = || (0..table.rows()).collect::<Vec<usize>>();
        if self.missing == Missing::Drop {
            let whole = |row: &usize| features.iter().chain(needed).all(|column| !column.is_missing(*row));
            let rows: Vec<usize> = all().into_iter().filter(whole).collect();
            return match rows.is_empty() {
                true => Err(Invalid::new("missing", "is `drop`, and every row has a missing value")),
                false => Ok(rows),
            };
        }
        let fault = |column: &Column, (row, cell): (usize, &str), what: &str, otherwise: &str| {
            let found = match cell {
                "" => "has no value".to_owned(),
                cell => format!("holds `{cell}`, which counts as missing"),
            };
            let place = table.place(row);
            let message = format!("is `{}`, and {place}, {what} `{}`, {found}", self.missing.name(), column.name);
            let hint = match self.if_it_is_a_value(column) {
                Some(line) => format!("{line}; otherwise {otherwise}"),
                None => otherwise.to_owned(),
            };
            Invalid::new("missing", message).hint(hint)
        };
        for column in needed {
            if let Some(missing) = column.first_missing() {
                let what = if self.weights == Some(column.name.as_str()) { "weight" } else { "target" };
                return Err(fault(column, missing, what, "`missing = \"drop\"` leaves such rows out"));
            }
        }
        for column in features.iter().filter(|_| self.missing == Missing::Error) {
            if let Some(missing) = column.first_missing() {
                let otherwise =
                    "`missing = \"drop\"` leaves such rows out; `\"mean\"` and `\"most_frequent\"` fill them in";
                return Err(fault(column, missing, "column", otherwise));
            }
        }
        Ok(all())
    }

    /// What to write where the cell that counts as missing is a value of its own: text in a column of text.
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
            false => format!("if `{cell}` is no missing value, state those that are: `missing_values = [\"\"]`"),
        })
    }

    /// What is left out because of a text that counts as missing; `None` where nothing is, or the fields are empty.
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
            "`missing = \"drop\"` leaves out {count} of {rows} rows: {place}, column `{}`, holds `{cell}`, which counts as missing; {}",
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
