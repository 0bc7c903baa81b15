//! The rows of a CSV file, with any common separator and line ending.
//!
//! The separator is the one that occurs most often in the header (comma, semicolon or tab), unless a first line such as
//! `sep=;` defines it, as in Excel. A line ends with LF, CR LF or a single CR (Excel's "CSV (Macintosh)").

use crate::io::separator;

/// A row.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// Number of its first line, from 1.
    pub line: usize,
    /// The cells.
    pub cells: Vec<String>,
}

/// Splits the text of a CSV file into rows. Returns the separator of the cells, and the rows that are not empty, starting with
/// the header.
pub fn parse(text: &str) -> (char, Vec<Row>) {
    let first = text.split(['\n', '\r']).next().unwrap_or_default();
    let stated = separator::of_first_line(first);
    let header = text.split(['\n', '\r']).map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let separator = stated.unwrap_or_else(|| most_frequent(header));
    let table = if stated.is_some() { &text[first.len()..] } else { text };
    (separator, rows(table, separator))
}

/// Returns the separator that occurs most often in the header: comma, semicolon or tab.
fn most_frequent(header: &str) -> char {
    let count = |separator: char| header.matches(separator).count();
    [';', '\t'].into_iter().fold(',', |most, other| if count(other) > count(most) { other } else { most })
}

/// Returns the rows. A quoted cell may contain separators, line ends and doubled quotes.
fn rows(text: &str, separator: char) -> Vec<Row> {
    let (mut rows, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begins, mut in_quotes) = (1, 1, false);
    let mut letters = text.chars().chain((!text.ends_with(['\n', '\r'])).then_some('\n')).peekable();
    while let Some(letter) = letters.next() {
        let is_half = letter == '\r' && letters.peek() == Some(&'\n'); // of CR LF
        let ends = matches!(letter, '\n' | '\r') && !is_half;
        line += usize::from(ends);
        match letter {
            '"' if in_quotes && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if in_quotes || cell.trim().is_empty() => in_quotes = !in_quotes,
            _ if ends && (!in_quotes || letters.peek().is_none()) => {
                cells.push(std::mem::take(&mut cell));
                let cells = std::mem::take(&mut cells);
                if cells.iter().any(|cell| !cell.trim().is_empty()) {
                    rows.push(Row { line: begins, cells });
                }
                begins = line;
            }
            '\r' if is_half && !in_quotes => {}
            letter if letter == separator && !in_quotes => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(usize, Vec<String>)> {
        parse(text).1.into_iter().map(|row| (row.line, row.cells)).collect()
    }

    fn row(line: usize, cells: &[&str]) -> (usize, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn lines_may_end_with_lf_cr_lf_or_cr() {
        let expected = [row(1, &["a", "b"]), row(2, &["1", "2"]), row(3, &["3", "4"])];
        for text in ["a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\r\n1,2\n3,4\r", "a,b\r1,2\r3,4"]
        {
            assert_eq!(cells(text), expected, "{text:?}");
        }
        assert_eq!(cells("a,b\r\r\"1\r\n\r2\",3\r"), [row(1, &["a", "b"]), row(3, &["1\r\n\r2", "3"])]);
        assert_eq!(cells("a,b\n1,2\r\r\n3,4"), [row(1, &["a", "b"]), row(2, &["1", "2"]), row(4, &["3", "4"])]);
    }

    #[test]
    fn a_first_line_may_name_the_separator() {
        for (line, separator) in
            [("sep=;", ';'), ("SEP=,", ','), ("\"sep=|\"", '|'), ("sep=\t", '\t'), ("sep=\\t", '\t')]
        {
            let text = format!("{line}\r\na{separator}b\r\n1{separator}2\r\n");
            assert_eq!(parse(&text).0, separator, "{line:?}");
            assert_eq!(cells(&text), [row(2, &["a", "b"]), row(3, &["1", "2"])], "{line:?}");
        }
    }
}
