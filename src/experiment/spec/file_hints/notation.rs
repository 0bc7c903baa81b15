//! Hints on text that is not TOML, but Python or JSON.

use crate::experiment::spec::file_hints::place::Place;
use crate::experiment::spec::file_hints::value_text;

/// Part of the message of the TOML parser about text without quotes.
const UNQUOTED: &str = "string values must be quoted";

/// Returns whether the message of the TOML parser is about a value that is missing: it then expects text in quotes.
fn is_missing(message: &str, rest: &str) -> bool {
    let expects_text = message.contains(UNQUOTED) || message.contains("invalid literal string");
    expects_text && value_text::at_start(rest).is_empty()
}

/// Returns the message of the TOML parser in other words if a value is missing.
pub fn reworded(message: &str, rest: &str) -> Option<String> {
    is_missing(message, rest).then(|| "a value is missing after `=`".to_owned())
}

/// Returns the hint for a line that is not TOML, but a call of Python: `loss = MSELoss()`.
pub fn call_of_python(place: Place) -> Option<String> {
    let (key, value) = line_of(place)?.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._".contains(c));
    let is_call = value.ends_with(')') && value.split_once('(').is_some_and(|(name, _)| is_name(name));
    let quote = if value.contains('"') { '\'' } else { '"' };
    is_call.then(|| format!("put it in quotes, and runner shows how to write it: `{key} = {quote}{value}{quote}`"))
}

/// Returns the line of the place.
pub fn line_of(place: Place<'_>) -> Option<&str> {
    let start = place.text.len().checked_sub(place.rest.len())?;
    let start = place.text.get(..start)?.rfind('\n').map_or(0, |end| end + 1);
    place.text[start..].lines().next()
}

/// Returns the hint for an error message of the TOML parser; `rest` is the text of the file from the mistake on.
pub fn hint(message: &str, rest: &str) -> Option<String> {
    let value = value_text::at_start(rest);
    if ["None", "none", "null"].contains(&value) {
        return Some("leave the key out, or write `\"none\"`".to_owned());
    }
    if message.contains("invalid boolean") || ["True", "False"].contains(&value) {
        return Some("write `true` or `false` in lower case, and put text in quotes".to_owned());
    }
    if is_missing(message, rest) {
        return Some("write a value, or remove the key".to_owned());
    }
    if message.contains(UNQUOTED) {
        return Some(format!("put it in quotes: `\"{value}\"`"));
    }
    if message.contains("expected `=`") && rest.starts_with(':') {
        return Some("write `=` in place of `:`, as in `{ adam = { lr = 0.001 } }`".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_translated_to_toml() {
        assert!(hint("invalid float, expected `nan`", "None\n").unwrap().contains("leave the key out"));
        assert!(hint("invalid boolean, expected `true`", "True\n").unwrap().contains("in lower case"));
        let quoted = hint("string values must be quoted, expected literal string", "cross_entropy\nx = 1");
        assert_eq!(quoted.unwrap(), "put it in quotes: `\"cross_entropy\"`");
        let colon = hint("missing assignment between key-value pairs, expected `=`", ": { \"lr\": 1 } }");
        assert!(colon.unwrap().starts_with("write `=` in place of `:`"));
        assert_eq!(hint("invalid type: integer", "3"), None);
        let missing = "string values must be quoted, expected literal string";
        assert_eq!(reworded(missing, "\nx = 1").unwrap(), "a value is missing after `=`");
        assert_eq!(reworded(missing, "relu"), None);
        assert!(reworded("invalid literal string, expected `'`", "} }").is_some());
    }
}
