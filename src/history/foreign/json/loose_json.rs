//! JSON as Python writes it, with `NaN`, `Infinity` and `-Infinity`, which are not valid JSON.

use anyhow::{Context, anyhow};
use serde_json::Value;

use crate::history::foreign::number_text;

/// Parses JSON in which numbers may be `NaN`, `Infinity` or `-Infinity`. They become the strings "nan", "inf" and "-inf".
///
/// # Errors
/// If it is otherwise not valid JSON.
pub fn parse(bytes: &[u8]) -> anyhow::Result<Value> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(anyhow!("the file is empty"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| anyhow!("it is not a text file"))?;
    serde_json::from_str(&quote_words(text)).context("it is damaged, incomplete or not JSON")
}

/// Returns the text with these words quoted. Strings stay as they are.
fn quote_words(text: &str) -> String {
    let (mut quoted, mut rest, mut in_string) = (String::with_capacity(text.len()), text, false);
    while let Some(first) = rest.chars().next() {
        let word = [("NaN", "\"nan\""), ("Infinity", "\"inf\""), ("-Infinity", "\"-inf\"")];
        let found = word.iter().find(|(word, _)| !in_string && rest.starts_with(word));
        let taken = match (found, first) {
            (Some((word, string)), _) => {
                quoted.push_str(string);
                rest = &rest[word.len()..];
                continue;
            }
            (None, '\\') if in_string => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, '"') => {
                in_string = !in_string;
                1
            }
            (None, first) => first.len_utf8(),
        };
        quoted.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    quoted
}

/// Returns the number of a value: a number, a string as `json.dump(…, default=str)` writes NumPy numbers, or a list with
/// one number, as from `.tolist()`. `None` for other values.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_text::parse(text),
        Value::Array(values) => match &values[..] {
            [only] => number(only),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

/// Returns the beginning of a value as JSON, in backticks.
pub fn excerpt(value: &Value) -> String {
    const MOST: usize = 30;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_are_numbers_and_strings_stay_as_they_are() {
        let value = parse(br#"{"a\"NaN": [NaN, -Infinity, Infinity, 1], "Infinity": "NaN -Infinity\\"}"#).unwrap();
        let numbers: Vec<f64> = value["a\"NaN"].as_array().unwrap().iter().map(|n| number(n).unwrap()).collect();
        assert!(numbers[0].is_nan());
        assert_eq!(numbers[1..], [f64::NEG_INFINITY, f64::INFINITY, 1.0]);
        assert_eq!(value["Infinity"], "NaN -Infinity\\");
    }

    #[test]
    fn an_incomplete_file_is_refused() {
        for text in [&b"{\"loss\": [0.5, NaN"[..], b"", b" \n", b"\xff\xfe", b"{\"a\\"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
