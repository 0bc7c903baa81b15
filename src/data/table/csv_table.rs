//! A table with columns of numbers or text, read from CSV by polars; each value can be missing.
//!
//! Every field is read as text first. A column becomes numbers if all of its values are numbers, quoted or not. So a
//! typing mistake in row 7,000 is found and named. A [`FieldFormat`] has the texts of missing values and the formats of
//! numbers and dates.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::data::file_error::FileError;
use crate::data::inspect::duplicates::{Duplicates, fingerprint};
use crate::data::store::hashed_file::{self, HashingReader};
use crate::data::table::column::{Column, has_leading_zero};
use crate::data::table::csv::blocks::{self, PlainColumn, PlainNumbers};
use crate::data::table::csv::csv_text::{CsvText, declared_separator};
use crate::data::table::csv::text_fields::{TextFields, not_csv, separating_byte, separator_error};
use crate::data::table::field_format::{FieldFormat, TextColumns};
use crate::data::table::recognize::number_format::NumberFormat;
use crate::tensor::threads;

/// Named columns of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Line of the file on which each row begins.
    pub lines: Vec<usize>,
    /// Names of the files of a table in several files, each with the index of its first row; empty for one file.
    pub files: Vec<(String, usize)>,
    /// Number format.
    pub numbers: NumberFormat,
}

impl Table {
    /// Reads CSV text with the default format; the first line has the column names. A line `sep=;` before it, as Excel
    /// writes it, sets the separator.
    ///
    /// # Errors
    /// When the text is damaged, or a name is missing or occurs twice.
    pub fn from_csv(bytes: &[u8], separator: char) -> Result<Table, FileError> {
        Table::read(bytes, &FieldFormat::new(separator))
    }

    /// Reads CSV text; the first line has the column names.
    ///
    /// # Errors
    /// As for [`Table::from_csv`], and when a date column has a field that is no date.
    pub fn read(bytes: &[u8], reading: &FieldFormat) -> Result<Table, FileError> {
        let separator = reading.separator;
        let separator = separating_byte(separator).ok_or_else(|| separator_error(separator))?;
        if let Some(declared) = declared_separator(bytes).and_then(separating_byte) {
            return Table::from_text_fields(&CsvText::check(bytes, declared)?, declared, reading);
        }
        let plain =
            reading.is_of_plain_numbers().then(|| Table::from_plain_numbers(bytes, separator, reading)).flatten();
        plain.unwrap_or_else(|| Table::from_text_fields(&CsvText::check(bytes, separator)?, separator, reading))
    }

    /// Reads a file of plain numbers with several threads, many times as fast as [`Table::read`]. Returns the table
    /// with the SHA-256 of the file.
    ///
    /// Returns `None` if a field is no finite number in the default format (except in columns whose text is kept), or
    /// if the file cannot be read or has no table. The caller then uses [`Table::read`].
    pub fn read_plain_file(path: &Path, reading: &FieldFormat) -> Option<(Table, String)> {
        let separator = separating_byte(reading.separator).filter(|_| reading.is_of_plain_numbers())?;
        let metadata = std::fs::metadata(path).ok()?;
        if !metadata.is_file() || metadata.len() > hashed_file::max_bytes() {
            return None; // a pipe can be read only once
        }
        let file = File::open(path).ok()?;
        let mut file = HashingReader::new(file);
        let table = Table::from_plain_numbers(&mut file, separator, reading)?.ok()?;
        Some((table, file.sum()))
    }

    /// Builds the table from fields that were read as text.
    fn from_text_fields(checked: &CsvText, separator: u8, reading: &FieldFormat) -> Result<Table, FileError> {
        Table::from_files(&[(String::new(), &TextFields::read(checked, separator)?)], reading)
    }

    /// Builds the table from the fields of files with the same columns, in the order of the first file. Each file has its
    /// name.
    pub(crate) fn from_files(files: &[(String, &TextFields)], reading: &FieldFormat) -> Result<Table, FileError> {
        let lines: Vec<usize> = files.iter().flat_map(|(_, fields)| fields.lines.iter().copied()).collect();
        let mut starts = Vec::new();
        let mut rows = 0;
        for (name, fields) in files {
            starts.push((name.clone(), rows));
            rows += fields.lines.len();
        }
        if files.len() == 1 {
            starts.clear();
        }
        if lines.is_empty() {
            return Err(FileError::new("has column names, but no rows"));
        }
        let names = &files[0].1.names;
        let columns = threads::map_in_parallel(names, names.len() * lines.len(), |name| {
            let parts = files.iter().map(|(_, fields)| fields.column(name)).collect::<Result<Vec<_>, _>>()?;
            let values = parts.iter().flat_map(|part| part.iter().skip(1).map(Option::unwrap_or_default));
            Column::read(name.clone(), values, reading, |row| place(row, &lines, &starts))
        });
        let columns = columns.into_iter().collect::<Result<Vec<Column>, FileError>>()?;
        Ok(Table { columns, lines, files: starts, numbers: reading.numbers })
    }

    /// Builds the table from plain numbers; the header is read as in any table.
    fn from_plain_numbers(
        source: impl Read + Send,
        separator: u8,
        reading: &FieldFormat,
    ) -> Option<Result<Table, FileError>> {
        let as_text = |block: &[u8]| columns_of_text(block, separator, reading);
        let PlainNumbers { header, columns, lines } = blocks::read(source, separator, as_text, blocks::AT_A_TIME)?;
        let headed = || {
            let header = CsvText::check(&header, separator)?;
            let names = TextFields::read(&header, separator)?.names;
            let column = |(column, name): (PlainColumn, String)| match column {
                PlainColumn::Numbers(numbers) => Ok(Column::from_numbers(name, numbers)),
                PlainColumn::Text(fields) => {
                    let fields = fields.str().map_err(|error| not_csv(&error))?.iter().map(Option::unwrap_or_default);
                    Column::read(name, fields, reading, |row| place(row, &lines, &[]))
                }
            };
            let columns = columns.into_iter().zip(names).map(column).collect::<Result<Vec<Column>, FileError>>()?;
            Ok(Table { columns, lines, files: Vec::new(), numbers: reading.numbers })
        };
        Some(headed())
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Returns the names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Returns the column with this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the name of a row in messages: its number, counted from 1 after the header, and its line.
    pub fn place(&self, row: usize) -> String {
        place(row, &self.lines, &self.files)
    }

    /// Returns the number of rows that equal an earlier row.
    pub fn duplicate_rows(&self) -> usize {
        let row = |row: usize| fingerprint(self.columns.iter().map(|column| column.key(row).to_le_bytes()));
        Duplicates::count((0..self.rows()).map(row), |_| None).duplicates
    }
}

/// Returns the name of a row in messages.
fn place(row: usize, lines: &[usize], files: &[(String, usize)]) -> String {
    match files.iter().rev().find(|(_, start)| *start <= row) {
        Some((file, start)) => format!("row {} (line {}) of `{file}`", row - start + 1, lines[row]),
        None => format!("row {} (line {})", row + 1, lines[row]),
    }
}

/// Returns the indices of the columns whose text is read, from a block that begins with the header: those whose text is
/// kept, and numbers with a leading zero, which may be codes. None if there is no header.
fn columns_of_text(block: &[u8], separator: u8, reading: &FieldFormat) -> Vec<usize> {
    let codes = columns_of_codes(block, separator);
    if reading.text == TextColumns::default() {
        return codes;
    }
    let names = || {
        let checked = CsvText::check(block, separator).ok()?;
        let header = CsvText::check(checked.records(0, 1), separator).ok()?;
        Some(TextFields::read(&header, separator).ok()?.names)
    };
    let names = names().unwrap_or_default();
    (0..names.len()).filter(|number| codes.contains(number) || reading.keeps_text(&names[*number])).collect()
}

/// Returns the indices of the columns of a block with a header that have a number with a leading zero. A separator within
/// quotes counts as one, so that the text of another column may be read too.
fn columns_of_codes(block: &[u8], separator: u8) -> Vec<usize> {
    let mut found = BTreeSet::new();
    for line in block.split(|byte| *byte == b'\n').skip(1) {
        for (number, field) in line.split(|byte| *byte == separator).enumerate() {
            let field = field.trim_ascii();
            let field = field.strip_prefix(b"\"").unwrap_or(field).trim_ascii();
            if has_leading_zero(field) {
                found.insert(number);
            }
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::table::recognize::dates::DateColumn;
    use crate::data::table::values::Values;

    fn table(text: &str) -> Table {
        Table::from_csv(text.as_bytes(), ',').unwrap()
    }

    fn fault(text: &str) -> String {
        Table::from_csv(text.as_bytes(), ',').unwrap_err().message
    }

    fn numbers_of(table: &Table, name: &str) -> Vec<f64> {
        match &table.column(name).unwrap().values {
            Values::Numbers(numbers) => numbers.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn quoted_numbers_are_numbers_and_marks_and_line_ends_of_windows_are_none_of_the_text() {
        let table = table("\u{feff}a,b,c\r\n\"1\",x,7\r\n\"2.5\",\"y, z\",\" 8 \"\r\n");
        assert_eq!(table.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((numbers_of(&table, "a"), numbers_of(&table, "c")), (vec![1.0, 2.5], vec![7.0, 8.0]));
        let text = Values::Text { distinct: vec!["x".into(), "y, z".into()], places: vec![Some(0), Some(1)] };
        assert_eq!(table.column("b").unwrap().values, text);
        assert_eq!(table.place(1), "row 2 (line 3)");
    }

    #[test]
    fn lone_carriage_returns_and_a_line_for_excel_are_understood() {
        for text in
            ["a,b\r1,2\r3,4\r", "a,b\r\n1,2\n3,4\r", "a,b\n1,2\r3,4", "sep=,\na,b\n1,2\n3,4\n", "sep=;\ra;b\r1;2\r3;4"]
        {
            let read = table(text);
            assert_eq!((numbers_of(&read, "a"), numbers_of(&read, "b")), (vec![1.0, 3.0], vec![2.0, 4.0]), "{text:?}");
        }
        assert_eq!(table("sep=;\r\na;b\r\n1;2\r\n").place(0), "row 1 (line 3)");
    }

    #[test]
    fn missing_values_are_missing_in_numbers_and_in_text() {
        let table = table("a,b\n1,x\n,\nNA,nan\n\"\",y\n");
        assert!(numbers_of(&table, "a")[1..].iter().all(|number| number.is_nan()));
        assert_eq!(table.column("b").unwrap().values.categories().1, [Some(0), None, None, Some(1)]);
        assert_eq!(table.column("b").unwrap().first_missing(), Some((1, "")));
        assert_eq!(table.column("a").unwrap().first_missing(), Some((1, "")));
        assert_eq!(self::table("a,b\n1,x\n2,None\n").column("b").unwrap().first_missing(), Some((1, "None")));
    }

    #[test]
    fn numbers_as_categories_keep_the_order_of_numbers() {
        let (distinct, places) = table("a,b\n10,0\n9,0\n10,1\n,1\n").column("a").unwrap().categories();
        assert_eq!((distinct, places), (vec!["9".into(), "10".into()], vec![Some(1), Some(0), Some(1), None]));
    }

    #[test]
    fn headers_that_cannot_be_meant_are_told() {
        assert_eq!(fault("a,b,a\n1,2,3\n"), "has the name `a` for columns 1 and 3");
        assert_eq!(fault(",b\n0,2\n"), "has no name for column 1");
        assert_eq!(fault("1,2\n3,4\n"), "has numbers in its first line, but column names are expected");
        assert_eq!(fault("a,b\n"), "has column names, but no rows");
        let fault = Table::from_csv(b"a;b\n1;2\n", ',').unwrap_err();
        assert_eq!(fault.message, "has one column, `a;b`");
        assert!(fault.hint.unwrap().contains("separator = \";\""));
        let blanks = Table::from_csv(b"a b churn\n1 2 no\n3 4 yes\n", ',').unwrap_err();
        assert!(blanks.hint.unwrap().contains("separator = \" \""));
        for one in ["body mass\n3750\n", "full name\nAda Lovelace\n"] {
            assert_eq!(table(one).columns.len(), 1);
        }
        let fault = Table::from_csv(b"a\tb\n1\t2\n", ',').unwrap_err();
        assert_eq!(fault.hint.unwrap(), "is the separator `tab`? Then write `separator = \"tab\"`");
    }

    /// Column names, bits of the values of each column, and lines.
    type Contents = (Vec<String>, Vec<Vec<u64>>, Vec<usize>);

    /// Converts a table to names, bits and lines. Bits keep apart 0 and −0, and missing values and numbers.
    fn read(table: Result<Table, FileError>) -> Result<Contents, FileError> {
        table.map(|table| {
            let bits = |column: &Column| (0..table.rows()).map(|row| column.key(row)).collect();
            let kind =
                |column: &Column| format!("{} {:?} {:?}", column.name, column.number_texts(), column.first_missing());
            let names = table.columns.iter().map(kind).collect();
            (names, table.columns.iter().map(bits).collect(), table.lines)
        })
    }

    /// Checks that both ways to read a text agree; returns whether the text has only plain numbers.
    #[track_caller]
    fn is_plain(text: &str) -> bool {
        let checked = CsvText::check(text.as_bytes(), b',').unwrap();
        let plain = |reading: &FieldFormat| Table::from_plain_numbers(text.as_bytes(), b',', reading);
        let texts = |names: &[&str]| TextColumns::Named(names.iter().map(|&name| name.to_owned()).collect());
        for names in [&[][..], &["b"], &["a", "c"]] {
            let reading = FieldFormat { text: texts(names), ..FieldFormat::new(',') };
            if let Some(plain) = plain(&reading) {
                assert_eq!(read(plain), read(Table::from_text_fields(&checked, b',', &reading)), "{text:?} {names:?}");
            }
        }
        plain(&FieldFormat::new(',')).is_some()
    }

    #[test]
    fn plain_numbers_are_read_at_once_and_as_they_are_by_way_of_text() {
        for plain in ["1", "\"1\"", "-0", "1e5", "1E-5", "123456789012345678901234567890", "0.1", "-56.407509631329"] {
            assert!(is_plain(&format!("a,b\n1,2\n{plain},3\n")), "{plain}");
        }
        for other in ["", "\"\"", "nan", "inf", "-inf", "1e400", "0x10", "1_000", "x", "NA", "1 2", "\"1,5\"", "1\"\"2"]
        {
            assert!(!is_plain(&format!("a,b\n1,2\n{other},3\n")), "{other}");
        }
        // these are numbers in both ways to read a text
        for number in ["+1", " 1", "1 ", "\" 1 \"", ".5", "5.", "1e+5"] {
            let text = format!("a,b\n1,2\n{number},3\n");
            is_plain(&text);
            assert_eq!(numbers_of(&table(&text), "a").len(), 2, "{number}");
        }
        assert!(!is_plain("a,b\n"), "without a row there is a fault to tell");
        assert!(is_plain("a,a\n1,2\n"), "so is the fault of the header");
    }

    proptest! {
        #[test]
        fn a_table_is_the_same_whichever_way_it_is_read(
            rows in proptest::collection::vec(proptest::collection::vec(field(), 3), 1..6),
            ends in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let rows: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
            is_plain(&format!("a,b,c{ends}{}{ends}", rows.join(ends)));
        }
    }

    /// Generates fields that are mostly numbers or look like numbers.
    fn field() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => any::<f64>().prop_map(|number| number.to_string()),
            6 => (-1e6..1e6_f64).prop_map(|number| format!("{number:.6}")),
            3 => any::<i64>().prop_map(|number| format!("\"{number}\"")),
            3 => "[-+]?[0-9]{1,20}(\\.[0-9]{0,20})?(e[-+]?[0-9]{1,3})?",
            1 => "[-+ .0-9einfax_]{0,6}",
            1 => "\"[-+ .0-9e]{0,6}\"",
        ]
    }

    #[test]
    fn columns_of_text_are_read_at_once_beside_plain_numbers() {
        let reading = FieldFormat { text: TextColumns::Named(vec!["id".to_owned()]), ..FieldFormat::new(',') };
        for id in ["007", "12345678901234567890", "NA", "", "\"x, \"\"y\"\"\"", " 7 ", "\"a\nb\""] {
            let text = format!("x,id\n1,7\n2,{id}\n");
            let plain = Table::from_plain_numbers(text.as_bytes(), b',', &reading).expect("it is plain").unwrap();
            let checked = CsvText::check(text.as_bytes(), b',').unwrap();
            let by_text = Table::from_text_fields(&checked, b',', &reading).unwrap();
            assert_eq!(format!("{plain:?}"), format!("{by_text:?}"), "{id}"); // NaN is not equal to itself
            let text = id.strip_prefix('"').and_then(|id| id.strip_suffix('"')).unwrap_or(id).replace("\"\"", "\"");
            let found = plain.column("id").unwrap().text(1).unwrap_or_default();
            assert_eq!(found, if id == "NA" { "" } else { text.trim() });
        }
    }

    #[test]
    fn codes_beside_plain_numbers_are_found() {
        let text = "x,zip\n1,02139\n2,94105\n";
        let plain = Table::from_plain_numbers(text.as_bytes(), b',', &FieldFormat::new(',')).unwrap().unwrap();
        assert_eq!(
            (plain.column("zip").unwrap().leading_zero.as_deref(), numbers_of(&plain, "zip")),
            (Some("02139"), vec![2139.0, 94105.0])
        );
        assert_eq!(plain.column("x").unwrap().leading_zero.as_deref(), None);
    }

    #[test]
    fn numbers_are_read_with_a_decimal_comma_and_a_text_is_missing_where_it_is_stated() {
        let numbers = NumberFormat { decimal: ',', thousands: Some('.') };
        let missing_values = Some(vec!["-999".to_owned()]);
        let reading = FieldFormat { numbers, missing_values, ..FieldFormat::new(';') };
        let table = Table::read(b"a;b\n1.299,99;1.000\n-999;2\n", &reading).unwrap();
        assert_eq!((numbers_of(&table, "a")[0], numbers_of(&table, "b")), (1299.99, vec![1000.0, 2.0]));
        assert_eq!(table.column("a").unwrap().first_missing(), Some((1, "-999")));
        let plain = FieldFormat { missing_values: Some(vec!["-999".to_owned()]), ..FieldFormat::new(',') };
        let table = Table::read(b"a,b\n1,2\n-999.0,3\n", &plain).unwrap();
        assert!(numbers_of(&table, "a")[1].is_nan(), "plain numbers may be missing too");
    }

    #[test]
    fn dates_are_numbers_and_one_that_does_not_exist_is_named_by_its_place() {
        let dates = vec![DateColumn { name: "day".to_owned(), format: None }];
        let reading = FieldFormat { dates, ..FieldFormat::new(',') };
        let table = Table::read(b"day,x\n2024-03-01,1\n,2\n1970-01-02T12:00,3\n", &reading).unwrap();
        let days = numbers_of(&table, "day");
        assert_eq!((days[0], days[1].is_nan(), days[2]), (19783.0, true, 1.5));
        let fault = Table::read(b"day,x\n2024-03-01,1\n2024-02-30,3\n", &reading).unwrap_err();
        assert_eq!(
            fault.message,
            "has `2024-02-30` in row 2 (line 3), column `day`, where a date such as 2024-12-31 was expected: February 2024 has 29 days"
        );
    }

    #[test]
    fn a_separator_that_is_no_ascii_or_a_quote_is_refused() {
        let fault = Table::from_csv("a§b\n1§2\n".as_bytes(), '§').unwrap_err();
        assert!(fault.message.contains("separator '§'"), "{fault}");
        for separator in ['"', '\n', '\r'] {
            assert!(Table::from_csv(b"a,2\"b\n\"\"\n1\"2\n", separator).is_err(), "{separator:?}");
        }
    }

    #[test]
    fn rows_that_occur_again_are_counted() {
        assert_eq!(table("a,b\n1,x\n1,x\n1,y\n,x\n,x\n-0,x\n0,x\n").duplicate_rows(), 3);
    }
}
