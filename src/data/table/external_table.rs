//! A table that is given to a trained network. Its columns are found by name and read like those of the training table.
//!
//! The training table decides what is ambiguous: which columns are numbers, the categories and their order, and the
//! class names. A value that does not fit is an error that names its place; nothing is guessed.

use tch::Tensor;

use crate::config::suggest;
use crate::data::file_error::FileError;
use crate::data::table::column::Column;
use crate::data::table::column_roles::columns_hint;
use crate::data::table::columns::{fits_f32, row_by_row, too_large};
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{ColumnEncoding, EncodingKind, Missing};
use crate::data::table::form::TableForm;
use crate::data::table::target_kind::{TargetKind, index_of, wrong_value, yes_or_no};
use crate::data::table::values::Values;
use crate::data::target::Target;

/// Class number of rows whose class is unknown.
pub const UNKNOWN_CLASS: i64 = -1;

/// Whether an external table must have the targets of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Every row must have a target.
    Required,
    /// Targets may be missing in some or all rows.
    Optional,
}

/// Handling of categories that the training table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "help would show them beside the values")]
pub enum Unknown {
    Error,   // they are errors
    Missing, // they count as missing values, which are handled as in the run
    Ignore,  // all one-hot features of the column are 0
}

/// Rows of an external table.
#[derive(Debug)]
pub struct ExternalTable {
    /// Raw features, `[rows, columns]` f64, like those of the source.
    pub features: Tensor,
    /// Classes: `[rows]`, int64. Labels and values: `[rows, columns]`, f32. Unknown targets are [`UNKNOWN_CLASS`] or
    /// NaN; `None` if the table has no target column.
    pub targets: Option<Tensor>,
    /// Index of each row in the table. Rows with missing values are dropped if the run dropped them.
    pub rows: Vec<usize>,
}

impl TableForm {
    /// Reads a table of this form; `names` are the class names. Columns can be in any order; columns that the network
    /// was not trained on are ignored.
    ///
    /// # Errors
    /// When a column or value is missing, a value has the wrong type, or a category or class is unknown.
    pub fn read(
        &self,
        table: &Table,
        names: &[String],
        truth: Truth,
        unknown: Unknown,
    ) -> Result<ExternalTable, FileError> {
        let column = |name: &String| table.column(name).ok_or_else(|| missing_column(table, name));
        let features: Vec<&Column> =
            self.encoding.columns.iter().map(|encoded| column(&encoded.name)).collect::<Result<_, _>>()?;
        let targets: Vec<Option<&Column>> = match truth {
            Truth::Required => {
                let target = |name: &String| table.column(name).map(Some).ok_or_else(|| missing_target(table, name));
                self.target.names.iter().map(target).collect::<Result<_, _>>()?
            }
            Truth::Optional => self.target.names.iter().map(|name| table.column(name)).collect(),
        };
        let rows = self.rows_to_keep(table, &features, &targets, truth, unknown)?;
        let encoded = self.encoding.columns.iter().zip(&features);
        let raw: Vec<Vec<f64>> = encoded
            .map(|(encoded, column)| raw(encoded, column, table, &rows, self.policy(unknown), self.encoding.missing))
            .collect::<Result<_, _>>()?;
        let features = row_by_row(&raw, rows.len());
        let has_targets = targets.iter().any(Option::is_some);
        let targets = has_targets.then(|| self.targets(table, &targets, &rows, names)).transpose()?;
        Ok(ExternalTable { features, targets, rows })
    }

    fn rows_to_keep(
        &self,
        table: &Table,
        features: &[&Column],
        targets: &[Option<&Column>],
        truth: Truth,
        unknown: Unknown,
    ) -> Result<Vec<usize>, FileError> {
        let required: Vec<&Column> = match truth {
            Truth::Required => targets.iter().flatten().copied().collect(),
            Truth::Optional => Vec::new(),
        };
        if self.encoding.missing != Missing::Error {
            let drops_features = self.encoding.missing == Missing::Drop;
            let is_unknown = |encoded: &ColumnEncoding, column: &Column, row: usize| {
                let categories = encoded.categories();
                unknown == Unknown::Missing
                    && !categories.is_empty()
                    && column.text(row).is_some_and(|text| index_of(categories, &text).is_none())
            };
            let features = if drops_features { features } else { &[] };
            let columns = || self.encoding.columns.iter().zip(features);
            let is_complete = |row: &usize| {
                !features.iter().chain(&required).any(|column| column.is_missing(*row))
                    && !columns().any(|(encoded, column)| is_unknown(encoded, column, *row))
            };
            let rows: Vec<usize> = (0..table.rows()).filter(is_complete).collect();
            return match rows.is_empty() {
                true if drops_features => Err(FileError::new(match unknown {
                    Unknown::Missing => "has a missing value or an unknown category in every row",
                    Unknown::Error | Unknown::Ignore => "has a missing value in every row",
                })),
                true => Err(FileError::new("has no target in any row")),
                false => Ok(rows),
            };
        }
        for column in features.iter().chain(&required) {
            if let Some((row, cell)) = column.first_missing() {
                let (place, name) = (table.place(row), &column.name);
                let message = match cell {
                    "" => format!("has no value in {place}, column `{name}`"),
                    cell => format!("has `{cell}` in {place}, column `{name}`, which counts as missing"),
                };
                return Err(FileError::new(message).hint("fill it in: the training rows had no missing values"));
            }
        }
        Ok((0..table.rows()).collect())
    }

    /// Returns how unknown categories are handled: they cannot be missing if missing values are errors.
    fn policy(&self, unknown: Unknown) -> Result<Unknown, &'static str> {
        match (unknown, self.encoding.missing) {
            (Unknown::Missing, Missing::Error) => {
                Err("in the run, missing values are errors (`missing = \"error\"`); use `--unknown ignore`")
            }
            _ => Ok(unknown),
        }
    }

    /// Returns the targets of these rows, with the shapes of [`ExternalTable`].
    fn targets(
        &self,
        table: &Table,
        columns: &[Option<&Column>],
        rows: &[usize],
        names: &[String],
    ) -> Result<Tensor, FileError> {
        let drop = |column: &Column| format!("remove the column `{}` to predict without known targets", column.name);
        if let (TargetKind::Classes, [Some(column)]) = (self.target.task, columns) {
            let class = |&row: &usize| {
                let Some(text) = column.text(row) else { return Ok(UNKNOWN_CLASS) };
                let class = index_of(&self.target.classes, &text).or_else(|| index_of(names, &text)).ok_or_else(|| {
                    let message = wrong_value(table, column, row, "a class of the run");
                    FileError::new(message).hint(nearest_or_known(&text, names))
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
                    TargetKind::Labels => (yes_or_no(&text), "0 or 1, false or true, no or yes"),
                    TargetKind::Values | TargetKind::Classes => match text.parse::<f32>() {
                        Ok(number) => {
                            (Some(number).filter(|number| number.is_finite()), "a number in the range of f32")
                        }
                        Err(_) => (None, "a number"),
                    },
                };
                let fault = || FileError::new(wrong_value(table, column, row, wanted)).hint(drop(column));
                numbers.push(number.ok_or_else(fault)?);
            }
        }
        Ok(Tensor::from_slice(&numbers).view([-1, columns.len() as i64]))
    }
}

/// Returns whether all targets are known; `targets` as in [`ExternalTable`].
pub fn is_known(targets: &Tensor, target: Target) -> bool {
    let unknown = match target {
        Target::Classes(_) => targets.lt(0),
        Target::Labels(_) | Target::Values(_) => targets.isnan(),
    };
    unknown.any().int64_value(&[]) == 0
}

/// Returns which options accept unknown categories of a column, in parentheses; empty if none does.
fn accepting(encoded: &ColumnEncoding, missing: Missing) -> &'static str {
    match (missing, &encoded.encoding) {
        (Missing::Error, EncodingKind::OneHot(_)) => " (`--unknown ignore` accepts others)",
        (Missing::Error, _) => "",
        (_, EncodingKind::OneHot(_)) => " (`--unknown missing` or `--unknown ignore` accepts others)",
        _ => " (`--unknown missing` accepts others)",
    }
}

/// Returns the raw values of one column in these rows: numbers, or indices of categories; NaN if missing.
fn raw(
    encoded: &ColumnEncoding,
    column: &Column,
    table: &Table,
    rows: &[usize],
    unknown: Result<Unknown, &str>,
    missing: Missing,
) -> Result<Vec<f64>, FileError> {
    let categories = encoded.categories();
    if encoded.encoding == EncodingKind::Number {
        return match &column.values {
            Values::Numbers(numbers) => match rows.iter().find(|&&row| !fits_f32(numbers[row])) {
                Some(&row) => Err(FileError::new(too_large(table, column, row)).hint("correct the value")),
                None => Ok(rows.iter().map(|&row| numbers[row]).collect()),
            },
            Values::Text { .. } => {
                let row = column.values.first_text(table.numbers).unwrap_or(0);
                Err(FileError::new(wrong_value(table, column, row, "a number"))
                    .hint("correct the value: the column is numeric in the training table"))
            }
        };
    }
    let place = |&row: &usize| match column.text(row) {
        None => Ok(f64::NAN),
        Some(text) => match (index_of(categories, &text), unknown, &encoded.encoding) {
            (Some(place), ..) => Ok(place as f64),
            (None, Ok(Unknown::Missing), _) => Ok(f64::NAN),
            (None, Ok(Unknown::Ignore), EncodingKind::OneHot(_)) => Ok(categories.len() as f64), // no feature is 1
            (None, ..) => {
                let hint = match unknown {
                    Ok(Unknown::Ignore) => "use `--unknown missing`: a label-encoded column has no one-hot features",
                    Err(hint) => hint,
                    Ok(Unknown::Error | Unknown::Missing) => {
                        &format!("{}{}", nearest_or_known(&text, categories), accepting(encoded, missing))
                    }
                };
                Err(FileError::new(wrong_value(table, column, row, "a category of the run")).hint(hint))
            }
        },
    };
    rows.iter().map(place).collect()
}

/// Returns the error for a column that the run used and the table does not have.
pub(crate) fn missing_column(table: &Table, name: &str) -> FileError {
    let fault = FileError::new(format!("has no column `{name}`, which the run used"));
    match suggest::nearest(name, table.names()) {
        Some(near) => fault.hint(format!("rename the column `{near}` to `{name}` if it is the same")),
        None => fault.hint(columns_hint(table)),
    }
}

/// Returns the error for a table without the true values.
fn missing_target(table: &Table, name: &str) -> FileError {
    let fault = missing_column(table, name);
    match suggest::nearest(name, table.names()) {
        Some(_) => fault,
        None => fault.hint("add the true values, or predict without them: `runner predict RUN FILE`"),
    }
}

/// Returns the hint for an unknown value.
fn nearest_or_known(text: &str, known: &[String]) -> String {
    const MOST: usize = 12;
    match suggest::nearest(text, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let first: Vec<&str> = known.iter().take(MOST).map(String::as_str).collect();
            let more = if known.len() > MOST { ", …" } else { "" };
            format!("use one of {}{more}", suggest::list(&first))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Loaded;
    use crate::data::table::column_roles::ColumnRoles;
    use crate::data::table::encode::Encode;
    use crate::data::table::field_format::FieldFormat;
    use crate::data::table::form::Form;

    const PEOPLE: &str = "age,city,y\n30,Rome,a\n40,Oslo,b\n50,Rome,a\n";

    fn table(text: &str) -> Table {
        Table::from_csv(text.as_bytes(), ',').unwrap()
    }

    fn form(missing: Missing) -> (TableForm, Loaded) {
        let y = ["y".to_owned()];
        let roles = ColumnRoles { encode: Encode::OneHot, missing, ..ColumnRoles::new(&y) };
        let loaded = roles.select(&table(PEOPLE)).unwrap().load(String::new(), FieldFormat::new(','));
        let Form::Table(form) = &loaded.form else { panic!("it is a table") };
        ((**form).clone(), loaded)
    }

    fn read(text: &str, missing: Missing, truth: Truth) -> Result<ExternalTable, FileError> {
        let (form, loaded) = form(missing);
        form.read(&table(text), &loaded.classes, truth, Unknown::Error)
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
        let without = read("city,age\nOslo,1\n", Missing::Error, Truth::Optional).unwrap();
        assert!(without.targets.is_none());
        assert_eq!(Vec::<f64>::try_from(&without.features.get(0)).unwrap(), [1.0, 0.0]);
    }

    #[test]
    fn a_column_that_is_not_there_is_named() {
        let (message, hint) = refusal("Age,city\n1,Rome\n", Missing::Error, Truth::Optional);
        assert_eq!(message, "has no column `age`, which the run used");
        assert_eq!(hint, "rename the column `Age` to `age` if it is the same");
        let (message, _) = refusal("age,city\n1,Rome\n", Missing::Error, Truth::Required);
        assert!(message.contains("`y`"), "{message}");
    }

    #[test]
    fn values_that_the_run_does_not_know_are_named_by_their_place() {
        let (message, hint) = refusal("age,city\n1,Rome\n2,Romme\n", Missing::Error, Truth::Optional);
        assert_eq!(message, "has `Romme` in row 2 (line 3), column `city`, where a category of the run was expected");
        assert_eq!(hint, "did you mean `Rome`? (`--unknown ignore` accepts others)");
        let (message, _) = refusal("age,city\n1,Rome\nold,Rome\n", Missing::Error, Truth::Optional);
        assert_eq!(message, "has `old` in row 2 (line 3), column `age`, where a number was expected");
        let (message, hint) = refusal("age,city,y\n1,Rome,zzz\n", Missing::Error, Truth::Optional);
        assert_eq!(message, "has `zzz` in row 1 (line 2), column `y`, where a class of the run was expected");
        assert_eq!(hint, "use one of `a`, `b`");
    }

    #[test]
    fn missing_values_are_refused_left_out_or_left_to_be_filled_in_as_in_the_run() {
        let text = "age,city,y\n1,,a\n2,Rome,\n3,Oslo,b\n";
        let (message, _) = refusal(text, Missing::Error, Truth::Optional);
        assert_eq!(message, "has no value in row 1 (line 2), column `city`");
        let rows = |truth| read(text, Missing::Drop, truth).unwrap().rows;
        assert_eq!((rows(Truth::Required), rows(Truth::Optional)), (vec![2], vec![1, 2]));
        let filled = read(text, Missing::MostFrequent, Truth::Optional).unwrap();
        assert!(filled.features.double_value(&[0, 1]).is_nan());
        let targets = filled.targets.unwrap();
        assert_eq!(Vec::<i64>::try_from(&targets).unwrap(), [0, UNKNOWN_CLASS, 1]);
        assert!(!is_known(&targets, Target::Classes(2)) && is_known(&targets.narrow(0, 2, 1), Target::Classes(2)));
        assert_eq!(
            read(text, Missing::MostFrequent, Truth::Required).unwrap().rows,
            [0, 2],
            "a target is not filled in"
        );
        assert_eq!(refusal("age,city\n,Rome\n", Missing::Drop, Truth::Optional).0, "has a missing value in every row");
    }
}
