//! Hints on text that is not TOML, but Python or JSON.

use crate::experiment::spec::file_hints::value_text;

/// Returns the hint for an error message of the TOML parser; `rest` is the text of the file from the mistake on.
pub fn hint(message: &str, rest: &str) -> Option<String> {
    let value = value_text::at_start(rest);
    if ["None", "none", "null"].contains(&value) {
        return Some("leave the key out, or write `\"none\"`".to_owned());
    }
    if message.contains("invalid boolean") || ["True", "False"].contains(&value) {
        return Some("write `true` or `false` in lower case, and put text in quotes".to_owned());
    }
    if message.contains("string values must be quoted") && !value.is_empty() {
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
    }
}
