//! JSON as Python writes it: with the bare words `NaN`, `Infinity` and `-Infinity`, which JSON does not have.

use anyhow::{Context, anyhow};
use serde_json::Value;

use crate::history::foreign::number_text;

/// Reads JSON in which numbers may be `NaN`, `Infinity` or `-Infinity`; they become the strings "nan", "inf" and "-inf".
///
/// # Errors
/// When it is no JSON otherwise.
pub fn read(bytes: &[u8]) -> anyhow::Result<Value> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(anyhow!("the file is empty"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| anyhow!("it is no text"))?;
    serde_json::from_str(&with_words_quoted(text)).context("it is damaged or cut short, or no JSON")
}

/// The text with the bare words as strings; what stands in strings already is left alone.
fn with_words_quoted(text: &str) -> String {
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

/// A number: as it is, in a string, as `json.dump(…, default=str)` writes those of NumPy, or alone in a list, as
/// `.tolist()` of an array with one value gives it; `None` of all else.
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

/// The beginning of a value as it is written.
pub fn brief(value: &Value) -> String {
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
    fn the_words_of_python_are_numbers_and_strings_stay_as_they_are() {
        let value = read(br#"{"a\"NaN": [NaN, -Infinity, Infinity, 1], "Infinity": "NaN -Infinity\\"}"#).unwrap();
        let numbers: Vec<f64> = value["a\"NaN"].as_array().unwrap().iter().map(|n| number(n).unwrap()).collect();
        assert!(numbers[0].is_nan());
        assert_eq!(numbers[1..], [f64::NEG_INFINITY, f64::INFINITY, 1.0]);
        assert_eq!(value["Infinity"], "NaN -Infinity\\");
    }

    #[test]
    fn half_a_file_is_damaged() {
        for text in [&b"{\"loss\": [0.5, NaN"[..], b"", b" \n", b"\xff\xfe", b"{\"a\\"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
