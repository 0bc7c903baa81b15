//! Short texts of the settings of configurations: `lr=0.01 batch=32`.

use indexmap::IndexMap;
use serde_json::Value;

use crate::compare::runs::changes::ShortKeys;

/// Short labels of the settings that vary.
#[derive(Clone, Debug)]
pub struct Labels {
    keys: Vec<String>,
    short: ShortKeys,
}

impl Labels {
    /// Returns the labels of the settings with these full keys.
    pub fn new(keys: &[String]) -> Labels {
        Labels { keys: keys.to_vec(), short: ShortKeys::for_lists(keys.iter().map(String::as_str)) }
    }

    /// Full keys of the settings.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Returns the label of a setting: `lr` for `train.optimizer.adam.lr`. Settings of different optimizers, losses, … may
    /// share one.
    pub fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.short.label(key)
    }

    /// Returns the labels in the order of the settings, without repetition.
    pub fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<&str> = Vec::new();
        for label in self.keys.iter().map(|key| self.label(key)) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// Returns the value of the setting with a label in a configuration; `None` if the configuration does not set it.
    pub fn value(&self, label: &str, set: &IndexMap<String, Value>) -> Option<String> {
        let mut keys = self.keys.iter().filter(|key| self.label(key) == label);
        keys.find_map(|key| set.get(key)).map(shown)
    }

    /// Returns the settings of a configuration that vary: `lr=0.01 batch=32`.
    pub fn describe(&self, set: &IndexMap<String, Value>) -> String {
        let one = |key: &String| Some(format!("{}={}", self.label(key), shown(set.get(key)?)));
        self.keys.iter().filter_map(one).collect::<Vec<_>>().join(" ")
    }
}

/// Returns a value for people: a small number as a power of ten only if that is clearly shorter, `1e-4` but `0.000891038`.
fn shown(value: &Value) -> String {
    let (plain, short) = (value.to_string(), format_value(value));
    if value.is_number() && short.len() + 1 >= plain.len() { plain } else { short }
}

/// Returns a value without quotes: `sgd(lr=0.1)` for `{ sgd = { lr = 0.1 } }`.
pub fn format_value(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(",");
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", list(items.iter().map(format_value).collect())),
        Value::Object(fields) => {
            let one = |(key, value): (&String, &Value)| match value {
                Value::Object(inner) if inner.is_empty() => key.clone(),
                Value::Object(_) => format!("{key}({})", format_value(value)),
                value => format!("{key}={}", format_value(value)),
            };
            list(fields.iter().map(one).collect())
        }
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(tiny) if tiny != 0.0 && tiny.abs() < 1e-3 => format!("{tiny:e}"),
            _ => number.to_string(),
        },
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn small_numbers_are_powers_of_ten_only_if_these_are_clearly_shorter() {
        let key = "train.optimizer.adam.lr".to_owned();
        let labels = Labels::new(std::slice::from_ref(&key));
        let described = |value: Value| labels.describe(&IndexMap::from([(key.clone(), value)]));
        assert_eq!(
            [json!(1e-4), json!(0.000891038), json!(0.0174702), json!(32), json!("sgd")].map(described),
            ["lr=1e-4", "lr=0.000891038", "lr=0.0174702", "lr=32", "lr=sgd"]
        );
    }
}
