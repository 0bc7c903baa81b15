//! Reads JSON lines as a table: an object in each line, whose keys are the columns.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::data::file_error::FileError;
use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::history::number::count;

/// Number of values up to which lines whose keys differ are a table, with the missing ones.
const MOST_VALUES: usize = 10_000_000;

/// Smallest fraction of larger tables that is not missing: one of this number of values.
const SPARSEST: usize = 20;

/// Texts of a key, each with the index of its row.
type Fields = Vec<(usize, String)>;

/// Reads JSON lines. A key that an object lacks, `null` and an empty text are missing values; lists and objects become
/// their JSON text. If `wanted` has names, only these columns are read; if one of them does not exist, the others are
/// there without values, so that messages can name them.
///
/// # Errors
/// When a line is no object, or all columns are wanted and most of their values are missing.
pub fn read(bytes: &[u8], reading: &FieldFormat, wanted: Option<&[String]>) -> Result<Table, FileError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let is_wanted = |name: &String| wanted.is_none_or(|names| names.contains(name));
    let mut columns: IndexMap<String, Fields> = IndexMap::new();
    let (mut lines, mut found) = (Vec::new(), 0);
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_slice(line).map_err(|error| no_object(number + 1, &error))?;
        for (key, value) in object {
            let (key, row) = (key.trim().to_owned(), lines.len());
            let is_read = is_wanted(&key);
            let fields = columns.entry(key).or_default();
            found += 1;
            if is_read {
                let text = match value {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                fields.push((row, text));
            }
        }
        lines.push(number + 1);
    }
    if lines.is_empty() {
        return Err(FileError::new("has no rows"));
    }
    let rows = lines.len();
    match wanted {
        None if columns.len().saturating_mul(rows) > MOST_VALUES.max(SPARSEST * found) => {
            let (keys, rows) = (count(columns.len()), count(rows));
            let message = format!("has {keys} different keys in {rows} lines, too many for the columns of a table");
            let hint = "write `[data.text]` with `text` and `target`: training reads only the keys that it names";
            return Err(FileError::new(message).hint(hint));
        }
        None => {}
        Some(names) => {
            let is_complete = names.iter().all(|name| columns.contains_key(name));
            let mut others = if is_complete { 0 } else { MOST_VALUES / rows };
            columns.retain(|name, _| {
                let is_kept = names.contains(name) || others > 0;
                others = others.saturating_sub(usize::from(!names.contains(name)));
                is_kept
            });
        }
    }
    let column = |(name, fields): (String, Fields)| {
        let mut texts = vec![""; rows];
        fields.iter().for_each(|(row, text)| texts[*row] = text);
        let place = |row: usize| format!("row {} (line {})", row + 1, lines[row]);
        Column::read(name, texts.into_iter(), reading, place)
    };
    let columns = columns.into_iter().map(column).collect::<Result<_, FileError>>()?;
    Ok(Table { columns, lines, files: Vec::new(), numbers: reading.numbers })
}

/// Returns the error of a line that is no object.
fn no_object(line: usize, error: &serde_json::Error) -> FileError {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason); // counted from this line
    let message = format!("has no JSON object in line {line}, column {}: {reason}", error.column().max(1));
    FileError::new(message).hint("write an object in each line: `{\"text\": \"…\", \"label\": \"…\"}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_lines(text: &str, wanted: Option<&[&str]>) -> Result<Table, FileError> {
        let wanted: Option<Vec<String>> = wanted.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        read(text.as_bytes(), &FieldFormat::new(','), wanted.as_deref())
    }

    #[test]
    fn keys_that_a_line_lacks_are_missing_and_only_wanted_keys_are_read() {
        let text = "{\"a\": 1, \"b\": \"x\"}\n\n{\"c\": [1], \"a \": null}\n{\"b\": \"y\"}\n";
        let all = read_lines(text, None).unwrap();
        assert_eq!(all.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        let texts = |name: &str| (0..3).map(|row| all.column(name).unwrap().text(row)).collect::<Vec<_>>();
        assert_eq!(texts("b"), [Some("x".to_owned()), None, Some("y".to_owned())]);
        assert_eq!((texts("a")[1].clone(), texts("c")[1].as_deref()), (None, Some("[1]")));
        assert_eq!(all.place(1), "row 2 (line 3)");
        let some = read_lines(text, Some(&["b"])).unwrap();
        assert_eq!((&some.columns[..], some.rows()), (&all.columns[1..2], 3));
        let unknown = read_lines(text, Some(&["b", "z"])).unwrap();
        assert_eq!(unknown.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(unknown.column("b"), all.column("b"));
    }

    #[test]
    fn lines_with_keys_of_their_own_need_little_memory() {
        let lines: String = (0..4000).map(|row| format!("{{\"text\": \"t{row}\", \"k{row}\": 1}}\n")).collect();
        let fault = read_lines(&lines, None).unwrap_err();
        assert_eq!(fault.message, "has 4,001 different keys in 4,000 lines, too many for the columns of a table");
        let table = read_lines(&lines, Some(&["text"])).unwrap();
        assert_eq!((table.rows(), table.columns.len()), (4000, 1));
        let others = read_lines(&lines, Some(&["txt"])).unwrap();
        assert_eq!((others.columns.len(), &*others.columns[1].name), (2500, "k0"));
    }

    #[test]
    fn a_line_that_is_no_object_has_one_line_number() {
        let fault = read_lines("{}\n{\"a\": tru}\n", None).unwrap_err();
        assert_eq!(fault.message, "has no JSON object in line 2, column 10: expected ident");
        assert_eq!(read_lines("\n\n", None).unwrap_err().message, "has no rows");
    }
}
