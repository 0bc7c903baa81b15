//! A table that is given to a trained network: its columns are found by name, and read as those of the table that the
//! network was trained on.
//!
//! What could be read there in two ways is settled by that table: which columns hold numbers, which categories there
//! are and in which order, what the classes are called. A value that does not fit is an error that names its place; it
//! is never guessed what was meant.

use tch::Tensor;

use crate::config::suggest;
use crate::data::table::column::Column;
use crate::data::table::column_roles::known;
use crate::data::table::columns::{fits_f32, row_by_row, too_large};
use crate::data::table::csv_table::Table;
use crate::data::table::csv_text::TableFault;
use crate::data::table::encode::{Becomes, Missing, Planned};
use crate::data::table::form::TableForm;
use crate::data::table::target_kind::{Task, known_as, wrong, yes_or_no};
use crate::data::table::values::Values;
use crate::data::target::Target;

/// What a class is where it is not known.
pub const UNKNOWN_CLASS: i64 = -1;

/// Whether a given table must say what is true of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Of every row.
    Required,
    /// Of none, or of those that it has a value for.
    WhereThere,
}

/// Rows of a given table.
#[derive(Debug)]
pub struct ExternalTable {
    /// Raw, `[rows, columns]` f64, as the source's own.
    pub features: Tensor,
    /// Classes: `[rows]`, int64. Labels and values: `[rows, columns]`, f32. [`UNKNOWN_CLASS`] or NaN where it is not
    /// known; `None` where the table has no such column.
    pub targets: Option<Tensor>,
    /// The number of each row in the table: rows with missing values are left out where the run left them out.
    pub rows: Vec<usize>,
}

impl TableForm {
    /// Reads a table of this form; `names` are what the classes are called. Columns may stand in any order, and those
    /// that the network was not trained on are passed over.
    ///
    /// # Errors
    /// When a column is missing, or a value is missing, of the wrong kind, or none of the known categories or classes.
    pub fn read(&self, table: &Table, names: &[String], truth: Truth) -> Result<ExternalTable, TableFault> {
        let column = |name: &String| table.column(name).ok_or_else(|| lacks(table, name));
        let features: Vec<&Column> =
            self.encoding.columns.iter().map(|planned| column(&planned.name)).collect::<Result<_, _>>()?;
        let targets: Vec<Option<&Column>> = match truth {
            Truth::Required => self.target.names.iter().map(|name| column(name).map(Some)).collect::<Result<_, _>>()?,
            Truth::WhereThere => self.target.names.iter().map(|name| table.column(name)).collect(),
        };
        let rows = self.rows_to_keep(table, &features, &targets, truth)?;
        let planned = self.encoding.columns.iter().zip(&features);
        let raw: Vec<Vec<f64>> =
            planned.map(|(planned, column)| raw(planned, column, table, &rows)).collect::<Result<_, _>>()?;
        let features = row_by_row(&raw, rows.len());
        let targets = match targets.iter().any(Option::is_some) {
            true => Some(self.targets(table, &targets, &rows, names)?),
            false => None,
        };
        Ok(ExternalTable { features, targets, rows })
    }

    fn rows_to_keep(
        &self,
        table: &Table,
        features: &[&Column],
        targets: &[Option<&Column>],
        truth: Truth,
    ) -> Result<Vec<usize>, TableFault> {
        let required: Vec<&Column> = match truth {
            Truth::Required => targets.iter().flatten().copied().collect(),
            Truth::WhereThere => Vec::new(),
        };
        if self.encoding.missing == Missing::Drop {
            let whole = |row: &usize| !features.iter().chain(&required).any(|column| column.is_missing(*row));
            let rows: Vec<usize> = (0..table.rows()).filter(whole).collect();
            return match rows.is_empty() {
                true => Err(TableFault::new("has a missing value in every row")),
                false => Ok(rows),
            };
        }
        let needed = features.iter().filter(|_| self.encoding.missing == Missing::Error).chain(&required);
        for column in needed {
            if let Some((row, cell)) = column.first_missing() {
                let (place, name) = (table.place(row), &column.name);
                let message = match cell {
                    "" => format!("has no value in {place}, column `{name}`"),
                    cell => format!("has `{cell}` in {place}, column `{name}`, which counts as missing"),
                };
                return Err(
                    TableFault::new(message).hint("the run had no missing values, and knows nothing to fill in")
                );
            }
        }
        Ok((0..table.rows()).collect())
    }

    /// What is true of these rows, as far as it is known; shapes as in [`ExternalTable`].
    fn targets(
        &self,
        table: &Table,
        columns: &[Option<&Column>],
        rows: &[usize],
        names: &[String],
    ) -> Result<Tensor, TableFault> {
        let drop = |column: &Column| format!("without the column `{}`, rows can still be predicted", column.name);
        if let (Task::Classes, [Some(column)]) = (self.target.task, columns) {
            let class = |&row: &usize| {
                let Some(text) = column.text(row) else { return Ok(UNKNOWN_CLASS) };
                let class = known_as(&self.target.classes, &text).or_else(|| known_as(names, &text)).ok_or_else(|| {
                    let message = wrong(table, column, row, "a class of the run");
                    TableFault::new(message).hint(nearest_or_known(&text, names))
                });
                class.map(|class| class as i64)
            };
            return Ok(Tensor::from_slice(&rows.iter().map(class).collect::<Result<Vec<i64>, _>>()?));
        }
        let mut numbers = Vec::with_capacity(rows.len() * columns.len());
        for &row in rows {
            for column in columns {
                let Some((column, text)) = column.and_then(|column| Some((column, column.values.text(row)?))) else {
                    numbers.push(f32::NAN);
                    continue;
                };
                let (number, wanted) = match self.target.task {
                    Task::Labels => (yes_or_no(&text), "0 or 1, false or true, no or yes"),
                    Task::Values | Task::Classes => match text.parse::<f32>() {
                        Ok(number) => (Some(number).filter(|number| number.is_finite()), "a number that f32 can hold"),
                        Err(_) => (None, "a number"),
                    },
                };
                let fault = || TableFault::new(wrong(table, column, row, wanted)).hint(drop(column));
                numbers.push(number.ok_or_else(fault)?);
            }
        }
        Ok(Tensor::from_slice(&numbers).view([-1, columns.len() as i64]))
    }
}

/// Whether it is known what is true of every row: `targets` as in [`ExternalTable`].
pub fn is_known(targets: &Tensor, target: Target) -> bool {
    let unknown = match target {
        Target::Classes(_) => targets.lt(0),
        Target::Labels(_) | Target::Values(_) => targets.isnan(),
    };
    unknown.any().int64_value(&[]) == 0
}

/// One column's raw values in these rows: numbers, or places among its categories; NaN where one is missing.
fn raw(planned: &Planned, column: &Column, table: &Table, rows: &[usize]) -> Result<Vec<f64>, TableFault> {
    let categories = planned.categories();
    if planned.becomes == Becomes::Number {
        return match &column.values {
            Values::Numbers(numbers) => match rows.iter().find(|&&row| !fits_f32(numbers[row])) {
                Some(&row) => Err(TableFault::new(too_large(table, column, row)).hint("correct the value")),
                None => Ok(rows.iter().map(|&row| numbers[row]).collect()),
            },
            Values::Text { .. } => {
                let row = column.values.first_text(table.numbers).unwrap_or(0);
                Err(TableFault::new(wrong(table, column, row, "a number"))
                    .hint("the run knows it as a column of numbers"))
            }
        };
    }
    let place = |&row: &usize| match column.text(row) {
        None => Ok(f64::NAN),
        Some(text) => known_as(categories, &text).map(|place| place as f64).ok_or_else(|| {
            let message = wrong(table, column, row, "a category of the run");
            TableFault::new(message).hint(nearest_or_known(&text, categories))
        }),
    };
    rows.iter().map(place).collect()
}

fn lacks(table: &Table, name: &str) -> TableFault {
    let fault = TableFault::new(format!("lacks the column `{name}`, which the run used"));
    match suggest::nearest(name, table.names()) {
        Some(near) => fault.hint(format!("is it the column `{near}`? Give it the name `{name}`")),
        None => fault.hint(known(table)),
    }
}

/// The hint on a value that is not known.
fn nearest_or_known(text: &str, known: &[String]) -> String {
    const MOST: usize = 12;
    match suggest::nearest(text, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let first: Vec<&str> = known.iter().take(MOST).map(String::as_str).collect();
            let more = if known.len() > MOST { ", …" } else { "" };
            format!("known are {}{more}", suggest::list(&first))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Loaded;
    use crate::data::table::column_roles::ColumnRoles;
    use crate::data::table::encode::Encode;
    use crate::data::table::form::Form;
    use crate::data::table::reading::Reading;

    const PEOPLE: &str = "age,city,y\n30,Rome,a\n40,Oslo,b\n50,Rome,a\n";

    fn table(text: &str) -> Table {
        Table::from_csv(text.as_bytes(), ',').unwrap()
    }

    fn form(missing: Missing) -> (TableForm, Loaded) {
        let y = ["y".to_owned()];
        let recipe = ColumnRoles { encode: Encode::OneHot, missing, ..ColumnRoles::of(&y) };
        let loaded = recipe.select(&table(PEOPLE)).unwrap().load(String::new(), Reading::new(','));
        let Form::Table(form) = &loaded.form else { panic!("it is a table") };
        ((**form).clone(), loaded)
    }

    fn read(text: &str, missing: Missing, truth: Truth) -> Result<ExternalTable, TableFault> {
        let (form, loaded) = form(missing);
        form.read(&table(text), &loaded.classes, truth)
    }

    fn refusal(text: &str, missing: Missing, truth: Truth) -> (String, String) {
        let fault = read(text, missing, truth).unwrap_err();
        (fault.message, fault.hint.unwrap_or_default())
    }

    #[test]
    fn columns_are_found_by_name_and_others_are_passed_over() {
        let (_, loaded) = form(Missing::Error);
        let given = read("y,z,city,age\na,?,Rome,30\nb,?,Oslo,40\na,?,Rome,50\n", Missing::Error, Truth::Required);
        let given = given.unwrap();
        assert_eq!(given.features, loaded.rows.features);
        assert_eq!(given.targets.unwrap(), loaded.rows.targets);
        let without = read("city,age\nOslo,1\n", Missing::Error, Truth::WhereThere).unwrap();
        assert!(without.targets.is_none());
        assert_eq!(Vec::<f64>::try_from(&without.features.get(0)).unwrap(), [1.0, 0.0]);
    }

    #[test]
    fn a_column_that_is_not_there_is_named() {
        let (message, hint) = refusal("Age,city\n1,Rome\n", Missing::Error, Truth::WhereThere);
        assert_eq!(message, "lacks the column `age`, which the run used");
        assert_eq!(hint, "is it the column `Age`? Give it the name `age`");
        let (message, _) = refusal("age,city\n1,Rome\n", Missing::Error, Truth::Required);
        assert!(message.contains("`y`"), "{message}");
    }

    #[test]
    fn values_that_the_run_does_not_know_are_named_by_their_place() {
        let (message, hint) = refusal("age,city\n1,Rome\n2,Romme\n", Missing::Error, Truth::WhereThere);
        assert_eq!(message, "has `Romme` in row 2 (line 3), column `city`, where a category of the run was expected");
        assert_eq!(hint, "did you mean `Rome`?");
        let (message, _) = refusal("age,city\n1,Rome\nold,Rome\n", Missing::Error, Truth::WhereThere);
        assert_eq!(message, "has `old` in row 2 (line 3), column `age`, where a number was expected");
        let (message, hint) = refusal("age,city,y\n1,Rome,zzz\n", Missing::Error, Truth::WhereThere);
        assert_eq!(message, "has `zzz` in row 1 (line 2), column `y`, where a class of the run was expected");
        assert_eq!(hint, "known are `a`, `b`");
    }

    #[test]
    fn missing_values_are_refused_left_out_or_left_to_be_filled_in_as_in_the_run() {
        let text = "age,city,y\n1,,a\n2,Rome,\n3,Oslo,b\n";
        let (message, _) = refusal(text, Missing::Error, Truth::WhereThere);
        assert_eq!(message, "has no value in row 1 (line 2), column `city`");
        let rows = |truth| read(text, Missing::Drop, truth).unwrap().rows;
        assert_eq!((rows(Truth::Required), rows(Truth::WhereThere)), (vec![2], vec![1, 2]));
        let filled = read(text, Missing::MostFrequent, Truth::WhereThere).unwrap();
        assert!(filled.features.double_value(&[0, 1]).is_nan());
        let targets = filled.targets.unwrap();
        assert_eq!(Vec::<i64>::try_from(&targets).unwrap(), [0, UNKNOWN_CLASS, 1]);
        assert!(!is_known(&targets, Target::Classes(2)) && is_known(&targets.narrow(0, 2, 1), Target::Classes(2)));
        let (message, _) = refusal(text, Missing::MostFrequent, Truth::Required);
        assert_eq!(message, "has no value in row 2 (line 3), column `y`");
        assert_eq!(
            refusal("age,city\n,Rome\n", Missing::Drop, Truth::WhereThere).0,
            "has a missing value in every row"
        );
    }
}
