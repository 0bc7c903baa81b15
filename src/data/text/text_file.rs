//! Reads a table from CSV or JSON lines.

use std::path::Path;

use crate::data::file_error::FileError;
use crate::data::source::table_files;
use crate::data::store::user_file;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::data::text::jsonl;

/// Returns whether a file has JSON lines, by its name.
pub fn is_jsonl(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz");
    name.ends_with(".jsonl") || name.ends_with(".ndjson")
}

/// Reads a table. Returns it with the SHA-256 of the file. If `wanted` has names, only these columns of JSON lines are
/// read, as by [`jsonl::read`].
///
/// # Errors
/// When the file cannot be read, or is no table; the message follows the file name.
pub fn read(path: &Path, reading: &FieldFormat, wanted: Option<&[String]>) -> Result<(Table, String), FileError> {
    if !is_jsonl(path) {
        return table_files::read(path, reading);
    }
    let (bytes, sum) = user_file::read(path)?;
    Ok((jsonl::read(&bytes, reading, wanted)?, sum))
}
