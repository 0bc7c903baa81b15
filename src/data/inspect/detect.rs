//! Detects the format of a user's table: the separator, the number format, and texts that mark missing values.

use std::path::Path;

use crate::data::file_error::FileError;
use crate::data::table::csv::csv_text::OTHER_SEPARATORS;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::recognize::{missing_marks, other_number_formats};
use crate::data::text::text_file;

/// A table with its detected format.
#[derive(Debug)]
pub struct DetectedTable {
    /// Table.
    pub table: Table,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Format of its fields.
    pub format: FieldFormat,
    /// Texts that seem to mark missing values, besides those of the stated format.
    pub na_values: Vec<String>,
}

/// Reads a table with the separator that the user stated. Without one, the separator is a comma, or another one if the file
/// has no second column.
///
/// # Errors
/// When the file cannot be read or is no table.
pub fn read_separated(
    path: &Path,
    format: FieldFormat,
    stated: Option<char>,
) -> Result<(Table, String, FieldFormat), FileError> {
    let read =
        |format: FieldFormat| text_file::read(path, &format, None).map(|(table, sha256)| (table, sha256, format));
    let has_columns = |read: &Result<(Table, String, FieldFormat), FileError>| {
        read.as_ref().is_ok_and(|(table, ..)| table.columns.len() > 1)
    };
    let first = read(FieldFormat { separator: stated.unwrap_or(','), ..format.clone() });
    if has_columns(&first) || stated.is_some() || text_file::is_jsonl(path) {
        return first;
    }
    let others = OTHER_SEPARATORS.map(|separator| FieldFormat { separator, ..format.clone() });
    others.into_iter().map(read).find(has_columns).unwrap_or(first)
}

/// Reads a table and detects what is not stated: the separator, the number format, and texts that mark missing values.
///
/// # Errors
/// As for [`read_separated`].
pub fn detect(path: &Path, format: FieldFormat, separator: Option<char>) -> Result<DetectedTable, FileError> {
    let (mut table, sha256, mut format) = read_separated(path, format, separator)?;
    if format.numbers == NumberFormat::default()
        && let Some(numbers) = number_format(&table, format.separator)
    {
        format.numbers = numbers;
        table = text_file::read(path, &format, None)?.0;
    }
    let mut na_values: Vec<String> =
        table.columns.iter().flat_map(|column| missing_marks(column, table.numbers)).collect();
    na_values.sort_unstable();
    na_values.dedup();
    if !na_values.is_empty() {
        format.missing_values = FieldFormat::missing_texts(format.missing_values.as_deref(), &na_values);
        table = text_file::read(path, &format, None)?.0;
    }
    Ok(DetectedTable { table, sha256, format, na_values })
}

/// Returns the number format that fits all columns with numbers in another format than the default; `None` if there are
/// no such columns, or no format fits. `1,299` has a thousands separator, unless fields are not separated by commas.
fn number_format(table: &Table, separator: char) -> Option<NumberFormat> {
    let mut of_columns = table.columns.iter().filter_map(|column| other_number_formats(column, table.numbers));
    let first = of_columns.next()?;
    let fitting = of_columns
        .fold(first, |common, of_column| common.into_iter().filter(|format| of_column.contains(format)).collect());
    match &fitting[..] {
        [decimal, thousands, ..] if decimal.thousands.is_none() && thousands.thousands == Some(',') => {
            Some(if separator == ',' { *thousands } else { *decimal })
        }
        fitting => fitting.first().copied(),
    }
}
