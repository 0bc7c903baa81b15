//! Reads JSON lines as a table: an object in each line, whose keys are the columns.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::csv_text::TableError;
use crate::data::table::field_format::FieldFormat;

/// Reads JSON lines. A key that an object lacks, `null` and an empty text are missing values; lists and objects become
/// their JSON text.
///
/// # Errors
/// When a line is no object.
pub fn read(bytes: &[u8], reading: &FieldFormat) -> Result<Table, TableError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut columns: IndexMap<String, Vec<String>> = IndexMap::new();
    let mut lines = Vec::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_slice(line).map_err(|error| {
            let message = format!("has no JSON object in line {}: {error}", number + 1);
            TableError::new(message).hint("write an object in each line: `{\"text\": \"…\", \"label\": \"…\"}`")
        })?;
        for (key, value) in object {
            let text = match value {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            };
            let column = columns.entry(key.trim().to_owned()).or_default();
            column.resize(lines.len(), String::new());
            column.push(text);
        }
        lines.push(number + 1);
    }
    if lines.is_empty() {
        return Err(TableError::new("has no rows"));
    }
    let column = |(name, mut fields): (String, Vec<String>)| {
        fields.resize(lines.len(), String::new());
        let place = |row: usize| format!("row {} (line {})", row + 1, lines[row]);
        Column::read(name, fields.iter().map(String::as_str), reading, place)
    };
    let columns = columns.into_iter().map(column).collect::<Result<_, TableError>>()?;
    Ok(Table { columns, lines, numbers: reading.numbers })
}
