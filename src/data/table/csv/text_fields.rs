//! Every field of a CSV text as text, read by polars, with the checked names of the columns.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use polars::prelude::{
    Column as PolarsColumn, CsvReadOptions, DataType, Field, PolarsError, Schema, SerReader, StringChunked,
};

use crate::data::file_error::FileError;
use crate::data::table::csv::csv_text::{CsvText, OTHER_SEPARATORS, declared_separator, separator_hint};
use crate::data::table::recognize::number_format::finite;
use crate::io::separator;

/// Every field of a file as text, with the names of the columns.
#[derive(Debug)]
pub(crate) struct TextFields {
    /// Names of the columns.
    pub names: Vec<String>,
    columns: Vec<PolarsColumn>,
    /// Line of the file on which each row begins.
    pub lines: Vec<usize>,
}

impl TextFields {
    /// Reads the fields of a text with this separator.
    ///
    /// # Errors
    /// When a name is missing or occurs twice.
    pub fn read(checked: &CsvText, separator: u8) -> Result<TextFields, FileError> {
        let columns = read_fields(checked, separator)?;
        let names = names_of(&columns)?;
        check_header(checked, separator, &names)?;
        Ok(TextFields { names, columns, lines: checked.lines[1..].to_vec() })
    }

    /// Reads the fields of the bytes of a file.
    ///
    /// # Errors
    /// When the text is damaged, or a name is missing or occurs twice.
    pub fn of_file(bytes: &[u8], separator: char) -> Result<TextFields, FileError> {
        let separator = declared_separator(bytes).unwrap_or(separator);
        let separator = separating_byte(separator).ok_or_else(|| separator_error(separator))?;
        TextFields::read(&CsvText::check(bytes, separator)?, separator)
    }

    /// Returns the fields of the column with this name, with the header.
    ///
    /// # Errors
    /// When polars has read no text.
    pub fn column(&self, name: &str) -> Result<&StringChunked, FileError> {
        let place = self.names.iter().position(|other| other == name);
        strings(&self.columns[place.expect("the files have the same columns")])
    }
}

/// Returns the error of a separator that is not allowed.
pub(crate) fn separator_error(separator: char) -> FileError {
    let message = "which must be one ASCII character and no quote";
    FileError::new(format!("cannot be read with the separator {separator:?}, {message}"))
}

/// Returns the separator as a byte; `None` if it is not allowed. polars panics if the separator is a quote.
pub(crate) fn separating_byte(separator: char) -> Option<u8> {
    u8::try_from(separator).ok().filter(|_| separator::is_allowed(separator))
}

/// Reads every field as text, with the header.
fn read_fields(checked: &CsvText, separator: u8) -> Result<Vec<PolarsColumn>, FileError> {
    let schema: Schema =
        (0..checked.fields).map(|number| Field::new(format!("{number}").into(), DataType::String)).collect();
    let frame = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(schema)))
        .map_parse_options(|options| options.with_separator(separator))
        .into_reader_with_file_handle(Cursor::new(&checked.text[..]))
        .finish()
        .map_err(|error| checked.damaged_quote(separator).unwrap_or_else(|| not_csv(&error)))?;
    if frame.height() != checked.lines.len() {
        let message = format!("has {} lines, and {} were read", checked.lines.len(), frame.height());
        return Err(FileError::new(message));
    }
    Ok(frame.columns().to_vec())
}

fn strings(column: &PolarsColumn) -> Result<&StringChunked, FileError> {
    column.as_materialized_series().str().map_err(|error| not_csv(&error))
}

/// Returns the first line of an error of polars: the others are about its own options.
pub(crate) fn not_csv(error: &PolarsError) -> FileError {
    let error = error.to_string();
    FileError::new(format!("is not CSV: {}", error.lines().next().unwrap_or_default()))
}

/// Returns the column names in the header, and checks that they differ.
fn names_of(columns: &[PolarsColumn]) -> Result<Vec<String>, FileError> {
    let (mut names, mut places) = (Vec::with_capacity(columns.len()), HashMap::with_capacity(columns.len()));
    for (number, column) in columns.iter().enumerate() {
        let name = strings(column)?.get(0).unwrap_or_default().trim();
        if name.is_empty() {
            let hint = "give it a name; if pandas wrote row numbers, use `to_csv(…, index=False)`";
            return Err(FileError::new(format!("has no name for column {}", number + 1)).hint(hint));
        }
        if let Some(earlier) = places.insert(name, number) {
            let message = format!("has the name `{name}` for columns {} and {}", earlier + 1, number + 1);
            return Err(FileError::new(message).hint("give each column a different name"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn check_header(checked: &CsvText, separator: u8, names: &[String]) -> Result<(), FileError> {
    if names.iter().all(|name| finite(name).is_some()) {
        let message = "has numbers in its first line, but column names are expected";
        return Err(FileError::new(message).hint("add a first line with the names, such as `x1,x2,y`"));
    }
    if checked.fields > 1 {
        return Ok(());
    }
    let other = std::iter::once(',').chain(OTHER_SEPARATORS).find(|other| names[0].contains(*other));
    let other = other.or_else(|| has_blank_separator(checked).then_some(' '));
    match other.filter(|other| *other != char::from(separator)) {
        Some(other) => Err(FileError::new(format!("has one column, `{}`", names[0])).hint(separator_hint(other))),
        None => Ok(()),
    }
}

/// Returns whether all lines of a table with one column have the same number of blanks, and numbers between them.
fn has_blank_separator(checked: &CsvText) -> bool {
    let text = String::from_utf8_lossy(&checked.text);
    let mut lines = text.lines().map(str::trim);
    let names = lines.next().map_or(0, |line| line.split(' ').count());
    let is_row = |line: &str| line.split(' ').count() == names && line.split(' ').any(|word| finite(word).is_some());
    names > 1 && checked.lines.len() > 1 && lines.all(is_row)
}
