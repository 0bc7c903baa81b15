//! CSV text before it is read: the mark of its encoding and Windows line ends are taken off, and every record must have
//! as many fields as the first one.
//!
//! polars fills short records with missing values and renames columns of the same name. Both would pass a damaged file
//! for a whole one, so its records are counted here first.

/// What is wrong with a table, as a lowercase fragment that follows the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TableFault {
    /// What is wrong, and where.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl TableFault {
    /// A fault without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        TableFault { message: message.into(), hint: None }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// CSV text whose records all have the same number of fields.
#[derive(Debug)]
pub struct CsvText {
    /// The text, without a byte order mark, blank lines and `\r`.
    pub text: Vec<u8>,
    /// How many bytes of it the first record has, which is the header.
    pub header: usize,
    /// How many fields a record has.
    pub fields: usize,
    /// The line of the file on which each record begins, counted from 1; the header is the first.
    pub lines: Vec<usize>,
}

impl CsvText {
    /// Checks a file's bytes.
    ///
    /// # Errors
    /// When the text is not UTF-8, empty, ragged, or has a quote that is never closed.
    pub fn check(bytes: &[u8], separator: u8) -> Result<CsvText, TableFault> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let Err(error) = std::str::from_utf8(bytes) {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            return Err(TableFault::new(format!("line {line} is not UTF-8 text")).hint("save the table as UTF-8"));
        }
        let mut checked =
            CsvText { text: Vec::with_capacity(bytes.len() + 1), header: 0, fields: 0, lines: Vec::new() };
        let (mut place, mut line) = (0, 1);
        while place < bytes.len() {
            let record = Record::at(&bytes[place..], separator, line)?;
            let written = &bytes[place..place + record.bytes];
            let content = written.trim_ascii();
            if !content.is_empty() || (separator == b'\t' && record.fields > 1) {
                checked.take(written, &record, line)?;
            }
            place += record.bytes;
            line += record.lines;
        }
        if checked.lines.is_empty() {
            return Err(TableFault::new("is empty").hint("a table has a first line with the names of its columns"));
        }
        Ok(checked)
    }

    fn take(&mut self, written: &[u8], record: &Record, line: usize) -> Result<(), TableFault> {
        if self.lines.is_empty() {
            self.fields = record.fields;
        } else if record.fields != self.fields {
            let message = format!(
                "row {} (line {line}) has {} fields, and the first line has {}",
                self.lines.len(),
                record.fields,
                self.fields
            );
            return Err(TableFault::new(message).hint("a field that holds the separator must stand in quotes"));
        }
        self.lines.push(line);
        let written = written.strip_suffix(b"\n").unwrap_or(written);
        let written = written.strip_suffix(b"\r").unwrap_or(written);
        self.text.extend(written);
        self.text.push(b'\n');
        if self.lines.len() == 1 {
            self.header = self.text.len();
        }
        Ok(())
    }
}

/// One record at the start of a text.
struct Record {
    bytes: usize,
    fields: usize,
    lines: usize,
}

impl Record {
    fn at(text: &[u8], separator: u8, line: usize) -> Result<Record, TableFault> {
        let mut record = Record { bytes: 0, fields: 1, lines: 0 };
        let (mut quoted, mut field_starts) = (false, true);
        while let Some(&byte) = text.get(record.bytes) {
            record.bytes += 1;
            record.lines += usize::from(byte == b'\n');
            match byte {
                b'"' if quoted && text.get(record.bytes) == Some(&b'"') => record.bytes += 1, // a quote in quotes
                b'"' if quoted => quoted = false,
                b'"' if field_starts => (quoted, field_starts) = (true, false),
                b'\n' if !quoted => return Ok(record),
                byte if byte == separator && !quoted => {
                    record.fields += 1;
                    field_starts = true;
                }
                _ => field_starts = false,
            }
        }
        record.lines += 1;
        if quoted {
            return Err(TableFault::new(format!("a quote in the record that begins on line {line} is never closed")));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_blank_lines_and_windows_line_ends_are_taken_off() {
        let checked = CsvText::check(b"\xef\xbb\xbfa,b\r\n\r\n1,\"x,\r\n\"\"y\"\r\n2,z", b',').unwrap();
        assert_eq!(checked.text, b"a,b\n1,\"x,\r\n\"\"y\"\n2,z\n");
        assert_eq!((checked.fields, checked.lines), (2, vec![1, 3, 5]));
    }

    #[test]
    fn damaged_text_is_named_by_its_line() {
        let fault = |text: &[u8]| CsvText::check(text, b',').unwrap_err().message;
        assert_eq!(fault(b""), "is empty");
        assert_eq!(fault(b" \n\n"), "is empty");
        assert_eq!(fault(b"a,b\n1,2\n3\n"), "row 2 (line 3) has 1 fields, and the first line has 2");
        assert_eq!(fault(b"a,b\n\n1,2,3\n"), "row 1 (line 3) has 3 fields, and the first line has 2");
        assert_eq!(fault(b"a,b\n1,\"2\n"), "a quote in the record that begins on line 2 is never closed");
        assert_eq!(fault(b"a,b\n1,\xff\n"), "line 2 is not UTF-8 text");
    }
}
