//! Checks CSV text before it is read: removes the byte order mark and Windows line ends, and requires the same number
//! of fields in all records.
//!
//! polars fills short records with missing values and renames columns with equal names. A damaged file could pass as
//! intact, so the fields are counted here first. Clean text, as in most files, is not copied.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2};

use crate::data::file_error::FileError;
use crate::io::separator;

/// Byte order mark that some programs write before UTF-8 text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Maximum number of columns: each takes some hundred bytes of memory, even without values.
const MOST_FIELDS: usize = 100_000;

/// CSV text whose records all have the same number of fields.
#[derive(Debug)]
pub struct CsvText<'a> {
    /// Text without a byte order mark, a first line `sep=;` and blank lines. Every line ends with LF.
    pub text: Cow<'a, [u8]>,
    /// Position in the text at which each record begins; the first record is the header.
    pub starts: Vec<usize>,
    /// Number of fields of a record.
    pub fields: usize,
    /// Line of the file on which each record begins, counted from 1; the first record is the header.
    pub lines: Vec<usize>,
}

/// Hint on a table that is not UTF-8, as Excel saves some in Western Europe.
const NOT_UTF8: &str =
    "save the table as UTF-8; if Excel or Windows wrote it: `iconv -f windows-1252 -t utf-8 FILE > utf8.csv`";

impl<'a> CsvText<'a> {
    /// Checks the bytes of a file. `separator` is an ASCII character.
    ///
    /// # Errors
    /// When the text is not UTF-8, empty, has records of different lengths, or a quote that is never closed.
    pub fn check(bytes: &'a [u8], separator: u8) -> Result<CsvText<'a>, FileError> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
            FileError::new(format!("line {line} is not UTF-8 text")).hint(NOT_UTF8)
        })?;
        let mut checked = CsvText { text: Cow::Borrowed(&[]), starts: Vec::new(), fields: 0, lines: Vec::new() };
        let (mut place, mut line) = (0, 1);
        while place < bytes.len() {
            let record = Record::at(&bytes[place..], separator, line)?;
            let content = bytes[place..place + record.bytes].trim_ascii();
            let is_for_excel = place == 0 && declared_separator(bytes).is_some();
            if !is_for_excel && (!content.is_empty() || (separator == b'\t' && record.fields > 1)) {
                checked.push(bytes, place, &record, line)?;
            }
            place += record.bytes;
            line += record.lines;
        }
        if checked.lines.is_empty() {
            return Err(FileError::new("is empty").hint("write the names of the columns in the first line"));
        }
        Ok(checked)
    }

    /// Adds the record at `place` of `bytes`.
    fn push(&mut self, bytes: &'a [u8], place: usize, record: &Record, line: usize) -> Result<(), FileError> {
        if self.lines.is_empty() {
            if record.fields > MOST_FIELDS {
                let message = format!("has {} columns, but at most {MOST_FIELDS} are allowed", record.fields);
                return Err(FileError::new(message).hint("check whether rows and columns are swapped"));
            }
            self.fields = record.fields;
        } else if record.fields != self.fields {
            let message = format!(
                "row {} (line {line}) has {} field{}, but the first line has {}",
                self.lines.len(),
                record.fields,
                if record.fields == 1 { "" } else { "s" },
                self.fields
            );
            let written = &bytes[place..place + record.bytes];
            let is_last = place + record.bytes == bytes.len();
            return Err(FileError::new(message).hint(self.hint_on_fields(written, record.fields, is_last)));
        }
        self.lines.push(line);
        self.starts.push(self.text.len());
        let end = place + record.bytes;
        let written = &bytes[place..end];
        let content = written.strip_suffix(b"\n").unwrap_or(written);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let is_clean = content.len() + 1 == written.len() && written.ends_with(b"\n");
        match &mut self.text {
            // everything before this record was clean, and so is this record
            Cow::Borrowed(before) if before.len() == place && is_clean => *before = &bytes[..end],
            text => {
                let own = text.to_mut();
                own.reserve_exact(bytes.len() + 1 - own.len());
                own.extend_from_slice(content);
                own.push(b'\n');
            }
        }
        Ok(())
    }

    /// Returns the hint on a record with another number of fields than the first one.
    fn hint_on_fields(&self, written: &[u8], fields: usize, is_last: bool) -> String {
        let first = String::from_utf8_lossy(self.records(0, 1));
        if self.lines.len() == 1 && self.fields == 1 {
            let text = String::from_utf8_lossy(written);
            let separates = |other: &char| first.contains(*other) && first.matches(*other).eq(text.matches(*other));
            return match OTHER_SEPARATORS.into_iter().find(separates) {
                Some(other) => format!("{}, and `decimal = \",\"` for numbers such as `1,5`", separator_hint(other)),
                None => format!(
                    "remove line {} (`{}`) if it is a title or a comment: the first line must have the column names",
                    self.lines[0],
                    shortened(&first)
                ),
            };
        }
        match fields < self.fields {
            true if is_last => "check that the file is complete: this is its last line".to_owned(),
            true => {
                let add = match self.fields - fields {
                    1 => "add the missing field: leave it empty if its value is unknown".to_owned(),
                    several => {
                        format!("add the {several} missing fields: leave them empty if their values are unknown")
                    }
                };
                format!("{add}, as in `1,,3`; put a field with a line break in quotes")
            }
            false => "put fields that contain the separator in quotes".to_owned(),
        }
    }

    /// Returns the fault of the first quoted field that has text after its closing quote; `None` if there is none.
    pub fn damaged_quote(&self, separator: u8) -> Option<FileError> {
        (0..self.lines.len()).find_map(|record| {
            let (field, opening, closing) = text_after_quote(self.records(record, 1), separator)?;
            let line = self.lines[record] + opening;
            let header = self.records(0, 1).trim_ascii_end();
            let name = header.split(|byte| *byte == separator).nth(field).unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            let name = name.trim().trim_matches('"');
            Some(match opening == closing {
                true => FileError::new(format!("has text after a closing quote in line {line}, column `{name}`"))
                    .hint("double each quote inside a quoted field: `\"\"`, or remove the quotes around the field"),
                false => {
                    FileError::new(format!("has a quoted field that is not closed in line {line}, column `{name}`"))
                        .hint("add the closing `\"`, or remove the quotes")
                }
            })
        })
    }

    /// Returns the text of at most `count` records, beginning with record `first`.
    pub fn records(&self, first: usize, count: usize) -> &[u8] {
        let start = |record: usize| self.starts.get(record).copied().unwrap_or(self.text.len());
        &self.text[start(first)..start(first.saturating_add(count))]
    }
}

/// Returns the separator that the first line of a table sets for Excel: `sep=;`.
pub fn declared_separator(bytes: &[u8]) -> Option<char> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let beginning = &bytes[..bytes.len().min(16)];
    let line = &beginning[..memchr2(b'\n', b'\r', beginning).unwrap_or(beginning.len())];
    separator::of_first_line(std::str::from_utf8(line).ok()?)
}

/// Characters besides the comma that often separate fields.
pub(crate) const OTHER_SEPARATORS: [char; 3] = [';', '\t', '|'];

/// Returns the hint on a table that seems to have another separator.
pub(super) fn separator_hint(separator: char) -> String {
    let shown = separator::shown(separator);
    format!("is the separator `{shown}`? Then write `separator = \"{shown}\"`")
}

/// Returns the beginning of a line.
fn shortened(line: &str) -> String {
    const MOST: usize = 40;
    let line = line.trim();
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Returns the length of the first line with its end: LF, CR LF, or a single CR, as in Excel's "CSV (Macintosh)".
fn line_length(text: &[u8]) -> usize {
    match memchr2(b'\n', b'\r', text) {
        None => text.len(),
        Some(end) if text[end] == b'\r' && text.get(end + 1) == Some(&b'\n') => end + 2,
        Some(end) => end + 1,
    }
}

/// Returns the index of the first quoted field of a record with text after its closing quote, and the lines of the record,
/// counted from 0, in which it begins and in which that text is.
fn text_after_quote(record: &[u8], separator: u8) -> Option<(usize, usize, usize)> {
    let (mut field, mut line, mut opening) = (0, 0, 0);
    let (mut quoted, mut was_quoted, mut field_starts) = (false, false, true);
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.next_if_eq(&b'"').is_some() => {}
            b'"' if quoted => (quoted, was_quoted) = (false, true),
            b'"' if field_starts => (quoted, opening) = (true, line),
            byte if quoted => line += usize::from(byte == b'\n'),
            byte if byte == separator => (field, was_quoted) = (field + 1, false),
            b'\n' | b'\r' => {}
            _ if was_quoted => return Some((field, opening, line)),
            _ => {}
        }
        field_starts = byte == separator && !quoted;
    }
    None
}

/// One record at the start of a text.
struct Record {
    bytes: usize,
    fields: usize,
    lines: usize,
}

impl Record {
    fn at(text: &[u8], separator: u8, line: usize) -> Result<Record, FileError> {
        let end = line_length(text);
        let first_quote = memchr(b'"', &text[..end]);
        let plain = &text[..first_quote.unwrap_or(end)];
        let fields = 1 + memchr_iter(separator, plain).count();
        let mut record = Record { bytes: plain.len(), fields, lines: 0 };
        if first_quote.is_none() {
            return Ok(Record { lines: 1, ..record });
        }
        let (mut quoted, mut field_starts) = (false, plain.last().is_none_or(|&byte| byte == separator));
        while let Some(&byte) = text.get(record.bytes) {
            record.bytes += 1;
            record.lines += usize::from(byte == b'\n');
            match byte {
                b'"' if quoted && text.get(record.bytes) == Some(&b'"') => record.bytes += 1, // a quote within quotes
                b'"' if quoted => quoted = false,
                b'"' if field_starts => (quoted, field_starts) = (true, false),
                b'\n' if !quoted => return Ok(record),
                b'\r' if !quoted && text.get(record.bytes) != Some(&b'\n') => {
                    return Ok(Record { lines: record.lines + 1, ..record });
                }
                byte if byte == separator && !quoted => {
                    record.fields += 1;
                    field_starts = true;
                }
                _ => field_starts = false,
            }
        }
        record.lines += 1;
        if quoted {
            let message = format!("has a quote without a closing quote, in the row that begins on line {line}");
            let hint = "close it with `\"`, or double each quote inside a quoted field: `\"\"`";
            return Err(FileError::new(message).hint(hint));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_blank_lines_and_windows_line_ends_are_taken_off() {
        let checked = CsvText::check(b"\xef\xbb\xbfa,b\r\n\r\n1,\"x,\r\n\"\"y\"\r\n2,z", b',').unwrap();
        assert_eq!(checked.text, &b"a,b\n1,\"x,\r\n\"\"y\"\n2,z\n"[..]);
        assert_eq!((checked.fields, &checked.lines[..]), (2, &[1, 3, 5][..]));
        assert_eq!(checked.records(0, 1), b"a,b\n");
        assert_eq!(checked.records(2, 9), b"2,z\n");
        assert_eq!(checked.records(3, 1), b"");
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line_but_in_quotes() {
        let checked = CsvText::check(b"a,b\r1,\"x\ry\"\r\r2,z\r\n3,w\n4,v\r", b',').unwrap();
        assert_eq!(checked.text, &b"a,b\n1,\"x\ry\"\n2,z\n3,w\n4,v\n"[..]);
        assert_eq!(checked.lines, [1, 2, 4, 5, 6]);
        let checked = CsvText::check(b"a,b\n1,2\r3,4\n", b',').unwrap();
        assert_eq!((&checked.text[..], &checked.lines[..]), (&b"a,b\n1,2\n3,4\n"[..], &[1, 2, 3][..]));
    }

    #[test]
    fn a_first_line_for_excel_is_passed_over() {
        for text in [&b"sep=;\na;b\n1;2\n"[..], b"\xef\xbb\xbfsep=;\r\na;b\r\n1;2\r\n", b"\"sep=;\"\ra;b\r1;2"] {
            assert_eq!(declared_separator(text), Some(';'));
            let checked = CsvText::check(text, b';').unwrap();
            assert_eq!((&checked.text[..], &checked.lines[..]), (&b"a;b\n1;2\n"[..], &[2, 3][..]));
        }
        assert_eq!(declared_separator(b"separate,sep=;\n"), None);
    }

    #[test]
    fn damaged_text_is_named_by_its_line() {
        let fault = |text: &[u8]| CsvText::check(text, b',').unwrap_err().message;
        assert_eq!(fault(b""), "is empty");
        assert_eq!(fault(b" \n\n"), "is empty");
        assert_eq!(fault(b"a,b\n1,2\n3\n"), "row 2 (line 3) has 1 field, but the first line has 2");
        assert_eq!(fault(b"a,b\n\n1,2,3\n"), "row 1 (line 3) has 3 fields, but the first line has 2");
        assert_eq!(fault(b"a,b\n1,\"2\n"), "has a quote without a closing quote, in the row that begins on line 2");
        assert_eq!(fault(b"a,b\n1,\xff\n"), "line 2 is not UTF-8 text");
        let quote = |text: &[u8]| CsvText::check(text, b',').unwrap().damaged_quote(b',').map(|fault| fault.message);
        let open = quote(b"a,b\n1,2\n3,\"4\n5,\"6\n7,8\n").unwrap();
        assert_eq!(open, "has a quoted field that is not closed in line 3, column `b`");
        let after = quote(b"a,b\n\"1\"x,2\n").unwrap();
        assert_eq!(after, "has text after a closing quote in line 2, column `a`");
        assert_eq!(quote(b"a,b\n\"1,\"\"\n\",\"2\"\r\n"), None);
        let hint = |text: &[u8]| CsvText::check(text, b',').unwrap_err().hint.unwrap();
        assert!(hint(b"a,b\n1,2\n3").contains("is complete"));
        assert!(
            hint(b"a,b\n1\n3,4\n").contains("add the missing field")
                && hint(b"a,b,c\n1\n3,4,5\n").contains("add the 2 missing fields")
                && hint(b"a,b\n1,2,3\n").contains("in quotes")
        );
        let other = hint(b"a;b;churn\n1,5;2;no\n");
        assert!(other.contains("`separator = \";\"`, and `decimal = \",\"`"), "{other}");
        assert!(hint(b"# of May\na,b\n1,2\n").contains("remove line 1 (`# of May`)"));
        assert!(hint(b"a\n1\n2,3\n").contains("in quotes"));
    }

    #[test]
    fn clean_text_is_not_copied_and_other_text_is_whole() {
        let text = |text: &'static [u8]| CsvText::check(text, b',').unwrap().text;
        assert!(matches!(text(b"a,b\n1,2\n"), Cow::Borrowed(b"a,b\n1,2\n")));
        assert!(matches!(text(b"\xef\xbb\xbfa,b\n1,2\n\n\n"), Cow::Borrowed(b"a,b\n1,2\n")));
        for unclean in [&b"a,b\n1,2"[..], b"\na,b\n1,2\n", b"a,b\n\n1,2\n", b"a,b\n1,2\r\n", b"a,b\r\n1,2"] {
            assert_eq!(text(unclean), &b"a,b\n1,2\n"[..]);
        }
    }

    /// Returns the fields and lines of the first record, found character by character; `None` if a quote is never
    /// closed.
    fn by_character(text: &str) -> Option<(usize, usize, usize)> {
        let (mut bytes, mut fields, mut lines, mut quoted, mut starts) = (0, 1, 0, false, true);
        let mut characters = text.bytes().peekable();
        while let Some(byte) = characters.next() {
            bytes += 1;
            match (byte, quoted) {
                (b'"', true) if characters.next_if_eq(&b'"').is_some() => bytes += 1,
                (b'"', true) => quoted = false,
                (b'"', false) if starts => (quoted, starts) = (true, false),
                (b'\n', false) => return Some((bytes, fields, lines + 1)),
                (b'\r', false) if characters.peek() != Some(&b'\n') => return Some((bytes, fields, lines + 1)),
                (b'\n', true) => lines += 1,
                (b',', false) => (fields, starts) = (fields + 1, true),
                (_, false) => starts = false,
                (_, true) => {}
            }
        }
        (!quoted).then_some((bytes, fields, lines + 1))
    }

    proptest! {
        #[test]
        fn records_are_what_they_are_character_by_character(text in "[a,\"\n\r]{1,24}") {
            let record = Record::at(text.as_bytes(), b',', 1).ok().map(|record| (record.bytes, record.fields, record.lines));
            prop_assert_eq!(record, by_character(&text));
        }
    }
}
