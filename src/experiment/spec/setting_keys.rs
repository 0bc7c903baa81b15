//! Full keys of settings, found by the last part of the key.

use serde_json::{Value, json};

use crate::experiment::spec::{Spec, aliases};

/// The tables and keys of an experiment file that variants can set.
pub const VARIED: [&str; 9] =
    ["data", "model", "network", "resample", "resample_before_split", "seeds", "threshold", "train", "tree"];

/// Returns whether a variant may set this path.
pub fn is_varied(path: &str) -> bool {
    path.split('.').next().is_some_and(|part| VARIED.contains(&part))
}

/// Returns the full keys of the experiment's settings that have this name or an alias of it: `train.optimizer.adam.lr` for
/// `lr`. Of a table with one setting, such as that of a dropout layer, it is the key of that
/// setting.
pub fn keys_named(spec: &Spec, name: &str) -> Vec<String> {
    keys_in(&serde_json::to_value(spec).expect("an experiment has JSON types only"), name)
}

/// Returns the same for the text of an experiment file that has errors; `None` if it has no such key.
pub fn keys_in_text(text: &str, name: &str) -> Option<Vec<String>> {
    let mut experiment: Value = toml_edit::de::from_str(text).ok()?;
    if let Some(Value::String(optimizer)) = experiment.pointer("/train/optimizer").cloned() {
        experiment["train"]["optimizer"] = json!({ optimizer: { "lr": null, "weight_decay": null } });
    }
    Some(keys_in(&experiment, name)).filter(|keys| !keys.is_empty())
}

/// Returns the same keys of a serialized experiment.
pub fn keys_in(experiment: &Value, name: &str) -> Vec<String> {
    fn walk(place: &Value, path: &str, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<String>) {
        let join = |part: &str| format!("{path}.{part}");
        match place {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| match value {
                Value::Object(inner)
                    if wanted(key) && inner.len() == 1 && inner.values().all(|one| !one.is_object()) =>
                {
                    found.extend(inner.keys().map(|setting| format!("{}.{setting}", join(key))));
                }
                _ if wanted(key) => found.push(join(key)),
                value => walk(value, &join(key), wanted, found),
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| walk(item, &join(&index.to_string()), wanted, found));
            }
            _ => {}
        }
    }
    let is_wanted = |key: &str| key == name || aliases::current(name).any(|current| current == key);
    let mut found = Vec::new();
    for (key, value) in experiment.as_object().into_iter().flatten().filter(|(key, _)| is_varied(key)) {
        walk(value, key, &is_wanted, &mut found);
    }
    found
}
