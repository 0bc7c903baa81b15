//! Values in the text of an experiment file.

use serde_json::Value;

/// Returns the value that the text begins with: up to the comma, closing bracket, comment or line end behind it. A list,
/// a table or a call in Python may hold them.
pub fn at_start(text: &str) -> &str {
    let (mut depth, mut quote) = (0, None);
    let end = text.char_indices().find(|(_, c)| match (c, quote) {
        (c, Some(open)) => {
            quote = (*c != open).then_some(open);
            false
        }
        ('"' | '\'', None) => {
            quote = Some(*c);
            false
        }
        ('[' | '{' | '(', None) => {
            depth += 1;
            false
        }
        (']' | '}' | ')', None) if depth > 0 => {
            depth -= 1;
            false
        }
        (',' | ']' | '}' | ')' | '#' | '\n', None) => depth == 0,
        _ => false,
    });
    text[..end.map_or(text.len(), |(end, _)| end)].trim()
}

/// Returns the value after the first `=` in the first line; `None` if there is none.
pub fn after_key(text: &str) -> Option<&str> {
    let (_, value) = text.split_once('=').filter(|(key, _)| !key.contains('\n'))?;
    Some(at_start(value.trim_start())).filter(|value| !value.is_empty())
}

/// Returns the items of a list, or of the arguments of a call, given as the text between the brackets.
pub fn items(mut text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    while !text.trim().is_empty() {
        let start = text.trim_start();
        let item = at_start(start);
        found.push(item);
        text = start[item.len()..].trim_start().trim_start_matches(',');
        if item.is_empty() && text.len() >= start.len() {
            break;
        }
    }
    found
}

/// Returns a value as TOML writes it.
pub fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> = fields.map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Number(number) => match number.as_f64().filter(|number| *number != 0.0 && number.abs() < 1e-3) {
            Some(small) => format!("{small:e}"),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Returns the text without its quotes; `None` if it has none.
pub fn unquoted(value: &str) -> Option<&str> {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_toml_ends_them() {
        assert_eq!(at_start("[784, 128] }, \"relu\"]"), "[784, 128]");
        assert_eq!(at_start("\"a, b\" # comment"), "\"a, b\"");
        assert_eq!(at_start("0.5\nx = 1"), "0.5");
        assert_eq!(after_key("lr = 1e-3 } }"), Some("1e-3"));
        assert_eq!(after_key("lr\nx = 1"), None);
        assert_eq!(items("64, activation='relu', (3, 3)"), ["64", "activation='relu'", "(3, 3)"]);
        assert_eq!(items("64,]"), ["64", ""]);
        assert_eq!(unquoted("'relu'"), Some("relu"));
    }
}
