//! Field separator of CSV tables, as set by a user or by the table.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Returns the separator by default.
pub fn comma() -> char {
    ','
}

/// Parses a separator: one ASCII character, or `tab` or `\t` for a tab.
///
/// # Errors
/// When it is something else; the message says what is allowed.
pub fn parse(text: &str) -> Result<char, String> {
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        _ if text == "\\t" || text.eq_ignore_ascii_case("tab") => Ok('\t'),
        (Some(separator), "") if is_allowed(separator) => Ok(separator),
        _ => Err(format!("must be one ASCII character other than a quote, or `tab`, found {text:?}")),
    }
}

/// Deserializes a separator, as in [`parse`].
///
/// # Errors
/// When it is something else.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<char, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Returns whether a character can separate fields.
pub fn is_allowed(separator: char) -> bool {
    separator.is_ascii() && !matches!(separator, '"' | '\n' | '\r')
}

/// Returns the separator that a table's first line declares, as Excel reads and writes it: `sep=;`.
pub fn of_first_line(line: &str) -> Option<char> {
    let line = line.trim_matches([' ', '"', '\r', '\n']);
    let rest = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|start| &line[start.len()..])?;
    let separator = parse(rest).ok()?;
    (!separator.is_alphanumeric() && rest.len() <= 2).then_some(separator)
}

/// Returns a separator as it is written on the command line and in an experiment.
pub fn shown(separator: char) -> String {
    match separator {
        '\t' => "tab".to_owned(),
        separator => separator.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_can_be_named() {
        for (text, separator) in [(";", ';'), ("\\t", '\t'), ("\t", '\t'), ("tab", '\t'), ("Tab", '\t'), (" ", ' ')] {
            assert_eq!(parse(text), Ok(separator), "{text:?}");
            assert_eq!(parse(&shown(separator)), Ok(separator));
        }
        for text in ["", ";;", "\\n", "\n", "\"", "§", "tabs"] {
            assert!(parse(text).unwrap_err().contains("or `tab`"), "{text:?}");
        }
    }

    #[test]
    fn a_first_line_may_name_it() {
        for (line, separator) in
            [("sep=;", ';'), ("SEP=,\r", ','), ("\"sep=|\"", '|'), ("sep=\t", '\t'), ("sep=\\t", '\t')]
        {
            assert_eq!(of_first_line(line), Some(separator), "{line:?}");
        }
        for line in ["sep=", "sep=;;", "separator=;", "sepal=1", "sep=a", "sep=tab", "", "sép"] {
            assert_eq!(of_first_line(line), None, "{line:?}");
        }
    }
}
