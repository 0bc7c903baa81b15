//! The part of a changed value that an error message is about.

use serde_json::Value;

use crate::experiment::spec::file_hints::value_text;

/// Returns the key and the TOML text of the part of a value that an error message of serde is about; `path` is the key of
/// the value. `None` if no part, or more than one, fits the message.
pub fn place_in(message: &str, path: &str, value: &Value) -> Option<(String, String)> {
    let mut found = Vec::new();
    match value {
        Value::Array(_) | Value::Object(_) => collect(message, path, value, &mut found),
        plain => found.push((path.to_owned(), plain)),
    }
    match &found[..] {
        [(key, part)] => Some((key.clone(), value_text::toml(part))),
        _ => None,
    }
}

/// Adds the parts that fit the message, with their keys.
fn collect<'v>(message: &str, key: &str, value: &'v Value, found: &mut Vec<(String, &'v Value)>) {
    if fits(message, value) {
        found.push((key.to_owned(), value));
    }
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(message, &format!("{key}.{index}"), item, found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| collect(message, &format!("{key}.{name}"), field, found));
        }
        _ => {}
    }
}

/// Returns whether a value is what the message says was found.
fn fits(message: &str, value: &Value) -> bool {
    if let Some(second) = message.split("there is a second one, `").nth(1).and_then(|rest| rest.split('`').next()) {
        return value.as_object().is_some_and(|fields| fields.keys().skip(1).any(|key| key == second));
    }
    let Some((_, unexpected)) = message.split_once("invalid type: ").or_else(|| message.split_once("invalid value: "))
    else {
        return false;
    };
    let begins = |text: String| unexpected.starts_with(&text);
    match value {
        Value::Object(_) => begins("map".to_owned()),
        Value::Array(_) => begins("sequence".to_owned()),
        Value::String(text) => begins(format!("string {text:?}")) || begins("unit variant".to_owned()),
        Value::Bool(truth) => begins(format!("boolean `{truth}`")),
        Value::Number(number) if number.is_f64() => begins(format!("floating point `{number}`")),
        Value::Number(number) => begins(format!("integer `{number}`")),
        Value::Null => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_only_part_that_fits_is_found() {
        let found = |message: &str, value: Value| place_in(message, "train.loss", &value);
        let place = |key: &str, text: &str| Some((key.to_owned(), text.to_owned()));
        let integer = "invalid type: integer `1`, expected unit";
        assert_eq!(found(integer, json!({ "mse": 1 })), place("train.loss.mse", "1"));
        assert_eq!(found(integer, json!({ "mse": 1, "mae": 1 })), None);
        assert_eq!(found("invalid type: string \"a\", expected a sequence", json!("a")), place("train.loss", "\"a\""));
        let second = "only one name is allowed, but there is a second one, `lr`";
        let adam = json!({ "adam": {}, "lr": 0.1 });
        assert_eq!(found(second, adam), place("train.loss", "{ adam = {}, lr = 0.1 }"));
        assert_eq!(found("unknown field `a`", json!({ "a": 1 })), None);
    }
}
