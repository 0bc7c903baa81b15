//! Readable JSON: a list of numbers is on one line, everything else is indented. So a history can be read and compared
//! line by line.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

/// Returns the value as indented JSON that ends with a newline. Lists of plain values are on one line.
///
/// # Errors
/// If the value cannot be represented in JSON.
pub fn readable<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = String::new();
    append(&serde_json::to_value(value)?, 0, &mut text);
    text.push('\n');
    Ok(text)
}

fn append(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => {
            text.push_str("[\n");
            for (number, item) in items.iter().enumerate() {
                text.push_str(&indent);
                append(item, depth + 1, text);
                text.push_str(if number + 1 < items.len() { ",\n" } else { "\n" });
            }
            text.push_str(&"  ".repeat(depth));
            text.push(']');
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            let _ = write!(text, "[{}]", items.join(", ")); // writing to a String cannot fail
        }
        Value::Object(fields) if !fields.is_empty() => {
            text.push_str("{\n");
            for (number, (name, field)) in fields.iter().enumerate() {
                let _ = write!(text, "{indent}{}: ", Value::from(name.as_str()));
                append(field, depth + 1, text);
                text.push_str(if number + 1 < fields.len() { ",\n" } else { "\n" });
            }
            text.push_str(&"  ".repeat(depth));
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_parses_to_the_same_value_and_lists_are_on_one_line() {
        let value = json!({ "loss": [0.5, "nan", 1e-8], "layers": [{ "a\"b": 1 }, {}], "none": null, "empty": [] });
        let text = readable(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.contains("  \"loss\": [0.5, \"nan\", 1e-8],\n"));
    }
}
