//! JSON laid out for people: a list of figures is one line, everything else is indented, so that a history can be
//! read, and its lines compared.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

/// The value as indented JSON, with lists of plain values on one line each, ending in a line end.
///
/// # Errors
/// When the value cannot be JSON.
pub fn readable<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = String::new();
    lay_out(&serde_json::to_value(value)?, 0, &mut text);
    text.push('\n');
    Ok(text)
}

fn lay_out(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => {
            text.push_str("[\n");
            for (number, item) in items.iter().enumerate() {
                text.push_str(&indent);
                lay_out(item, depth + 1, text);
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
                lay_out(field, depth + 1, text);
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
    fn it_reads_back_as_the_same_value_with_a_line_for_each_list() {
        let value = json!({ "loss": [0.5, "nan", 1e-8], "layers": [{ "a\"b": 1 }, {}], "none": null, "empty": [] });
        let text = readable(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.contains("  \"loss\": [0.5, \"nan\", 1e-8],\n"));
    }
}
