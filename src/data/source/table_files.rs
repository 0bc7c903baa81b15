//! A table in one file, or in several files that a pattern such as `data/*.csv` names.

use std::path::{Path, PathBuf};

use crate::config::suggest;
use crate::data::file_error::FileError;
use crate::data::store::checksum::sha256;
use crate::data::store::user_file;
use crate::data::table::column::Column;
use crate::data::table::csv::text_fields::TextFields;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::values::Values;

/// Returns the files that a path names: itself, or the files that match it as a pattern with `*`, `?` or `[…]`, in ascending
/// order.
///
/// # Errors
/// When no file matches, or a file and its compressed copy do.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let found = matches(path)?;
    let is_packed = |file: &Path| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    match found.iter().find(|file| is_packed(file) && found.contains(&file.with_extension(""))) {
        Some(packed) => {
            let (packed, plain) = (name(packed), name(&packed.with_extension("")));
            let message = format!("matches `{plain}` and `{packed}`, whose rows would be in the table twice");
            Err(FileError::new(message)
                .hint("move one of the two, or write a pattern such as `*.csv` that matches one"))
        }
        None => Ok(found),
    }
}

/// Returns the files that a path names, as in [`files`].
fn matches(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let is_pattern = |part: &Path| part.to_string_lossy().contains(['*', '?', '[']);
    if !is_pattern(path) || path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    // a directory whose name has such characters
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir() || !is_pattern(folder));
    let folder = folder.unwrap_or(Path::new(""));
    let rest = path.strip_prefix(folder).unwrap_or(path);
    let pattern = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(rest);
    let matches = glob::glob(&pattern.to_string_lossy())
        .map_err(|error| FileError::new(format!("is not a pattern: {}", error.msg)))?;
    let mut found: Vec<PathBuf> = matches.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    found.sort_unstable();
    match found.is_empty() {
        true => Err(FileError::new("matches no file").hint("`*` matches any characters, `**` any directories")),
        false => Ok(found),
    }
}

/// Returns whether a path names at least one file.
pub fn exist(path: &Path) -> bool {
    path.exists() || matches(path).is_ok_and(|files| files.iter().any(|file| file.exists()))
}

/// Reads a table of the user. Returns it with the SHA-256 of the file, or over the checksums of the files.
///
/// # Errors
/// When a file cannot be read, is no table, or has other columns than the first one; the message follows the path.
pub fn read(path: &Path, reading: &FieldFormat) -> Result<(Table, String), FileError> {
    match &files(path)?[..] {
        [file] if file == path => read_file(file, reading),
        files => read_files(files, reading),
    }
}

/// Returns the SHA-256 of the file, or over the checksums of the files.
///
/// # Errors
/// When a file cannot be read; the message follows the path.
pub fn checksum(path: &Path) -> Result<String, FileError> {
    let files = files(path)?;
    let sum = |file: &PathBuf| user_file::read(file).map(|(_, sum)| sum).map_err(|fault| of_file(file, path, fault));
    files.iter().map(sum).collect::<Result<Vec<_>, _>>().map(|sums| joined(&sums))
}

fn joined(sums: &[String]) -> String {
    if let [sum] = sums { sum.clone() } else { sha256(sums.join("\n").as_bytes()) }
}

fn read_file(path: &Path, reading: &FieldFormat) -> Result<(Table, String), FileError> {
    if let Some(plain) = Table::read_plain_file(path, reading) {
        return Ok(plain);
    }
    let (bytes, sum) = user_file::read_table(path)?;
    Ok((Table::read(&bytes, reading)?, sum))
}

fn read_files(files: &[PathBuf], reading: &FieldFormat) -> Result<(Table, String), FileError> {
    if let Some(plain) = read_plain_files(files, reading) {
        return Ok(plain);
    }
    let (mut sums, mut parts) = (Vec::new(), Vec::<TextFields>::new());
    for file in files {
        let named = |fault| of_file(file, Path::new(""), fault);
        let (bytes, sum) = user_file::read_table(file).map_err(named)?;
        let fields = TextFields::of_file(&bytes, reading.separator).map_err(named)?;
        if let Some(first) = parts.first() {
            check_columns((&files[0], &first.names), (file, &fields.names))?;
        }
        sums.push(sum);
        parts.push(fields);
    }
    let named: Vec<(String, &TextFields)> = files.iter().map(|file| name(file)).zip(&parts).collect();
    Ok((Table::from_files(&named, reading)?, joined(&sums)))
}

/// Reads files of plain numbers; `None` if a column has other values, or the columns differ.
fn read_plain_files(files: &[PathBuf], reading: &FieldFormat) -> Option<(Table, String)> {
    let mut parts = files.iter().map(|file| Table::read_plain_file(file, reading));
    let (mut table, sum) = parts.next()??;
    let mut sums = vec![sum];
    table.files = vec![(name(&files[0]), 0)];
    for (part, file) in parts.zip(&files[1..]) {
        let (part, sum) = part?;
        if part.columns.len() != table.columns.len() {
            return None;
        }
        for column in &mut table.columns {
            match (&mut column.values, &part.column(&column.name)?.values) {
                (Values::Numbers(numbers), Values::Numbers(more)) => numbers.extend(more),
                _ => return None,
            }
        }
        table.files.push((name(file), table.lines.len()));
        table.lines.extend(part.lines);
        sums.push(sum);
    }
    let is_plain = |column: &Column| matches!(column.values, Values::Numbers(_)) && !reading.keeps_text(&column.name);
    table.columns.iter().all(is_plain).then(|| (table, joined(&sums)))
}

/// Checks that a file has the columns of the first one, in any order.
fn check_columns((first_file, first): (&Path, &[String]), (file, found): (&Path, &[String])) -> Result<(), FileError> {
    let without = |names: &[String], others: &[String]| {
        let missing: Vec<String> = names.iter().filter(|name| !others.contains(name)).take(5).cloned().collect();
        (!missing.is_empty()).then(|| suggest::list(&missing.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let difference = match (without(first, found), without(found, first)) {
        (None, None) => return Ok(()),
        (Some(missing), None) => format!("without {missing}"),
        (None, Some(more)) => format!("with {more} in addition"),
        (Some(missing), Some(more)) => format!("without {missing}, with {more} in addition"),
    };
    let message =
        format!("matches `{}`, which has other columns than `{}`: {difference}", file.display(), name(first_file));
    Err(FileError::new(message).hint("files of one table have the same columns, in any order"))
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Adds the name of a file to a fault, if it is not the path itself.
fn of_file(file: &Path, path: &Path, fault: FileError) -> FileError {
    match file == path {
        true => fault,
        false => {
            let has_subject = ["row ", "column "].iter().any(|word| fault.message.starts_with(word));
            let joint = if has_subject { ":" } else { ", which" };
            FileError { message: format!("matches `{}`{joint} {}", file.display(), fault.message), ..fault }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::Builder::new().prefix("[a]").tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        folder
    }

    fn read_all(files: &[(&str, &str)]) -> Result<Table, String> {
        let made = folder(files);
        read(&made.path().join("*.csv"), &FieldFormat::new(',')).map(|(table, _)| table).map_err(|fault| fault.message)
    }

    #[test]
    fn files_with_the_same_columns_are_one_table() {
        for last in ["4", "d"] {
            let last = format!("y,x\n3,{last}\n");
            let table = read_all(&[("1.csv", "x,y\n1,1\n2,2\n"), ("2.csv", &last), ("3.txt", "z\n1\n")]).unwrap();
            assert_eq!(table.names().collect::<Vec<_>>(), ["x", "y"]);
            assert_eq!(table.column("y").unwrap().text(2).unwrap(), "3");
            assert_eq!((table.rows(), table.place(2)), (3, "row 1 (line 2) of `2.csv`".to_owned()));
            let is_text = matches!(table.column("x").unwrap().values, Values::Text { .. });
            assert_eq!(is_text, last.contains('d')); // a column has one type in all files
        }
    }

    #[test]
    fn a_file_with_other_columns_is_named() {
        let fault = read_all(&[("1.csv", "x,y\n1,1\n"), ("2.csv", "x,z\n1,1\n")]).unwrap_err();
        assert!(
            fault.contains("2.csv`, which has other columns than `1.csv`: without `y`, with `z` in addition"),
            "{fault}"
        );
        let fault = read_all(&[("1.csv", "x,y\n1,1\n"), ("2.csv", "x,y\n1\n")]).unwrap_err();
        assert!(fault.starts_with("matches `") && fault.contains("2.csv`: row 1 (line 2) has 1 field"), "{fault}");
        assert_eq!(read_all(&[]).unwrap_err(), "matches no file");
    }

    #[test]
    fn a_file_beside_its_compressed_copy_is_refused() {
        let made = folder(&[("1.csv", "x\n1\n"), ("2.csv", "x\n2\n"), ("2.csv.gz", "x\n2\n"), ("3.csv.gz", "x\n3\n")]);
        let all = made.path().join("*");
        let fault = files(&all).unwrap_err();
        assert_eq!(fault.message, "matches `2.csv` and `2.csv.gz`, whose rows would be in the table twice");
        assert!(checksum(&all).is_err() && exist(&all));
        assert_eq!(files(&made.path().join("*.csv")).unwrap().len(), 2);
    }
}
