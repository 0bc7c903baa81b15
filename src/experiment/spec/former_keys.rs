//! Former keys of experiment files. Files and command lines may use them for ever.
//!
//! The table `[[theirs]]` is now `[[reference]]`: its `value` is now `metric` and its `figure` is now `value`. The key
//! `value` of `[[expect]]` is now `metric`.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Renamed keys: the current name and the former name.
const RENAMED: [(&str, &str); 2] = [("reference", "theirs"), ("metric", "value")];

/// Returns the current path of a setting: `expect.0.metric` for `expect.0.value`. Other paths stay as they are.
pub fn current_path(path: &str) -> Cow<'_, str> {
    let parts: Vec<&str> = path.split('.').collect();
    match parts[..] {
        ["theirs", index, "value"] => format!("reference.{index}.metric").into(),
        ["theirs", index, "figure"] => format!("reference.{index}.value").into(),
        ["theirs", ..] => path.replacen("theirs", "reference", 1).into(),
        ["expect", index, "value"] => format!("expect.{index}.metric").into(),
        _ => path.into(),
    }
}

/// Returns the former path of a setting, or `None` if it was never renamed.
pub fn former_path(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('.').collect();
    match parts[..] {
        ["reference", index, "metric"] => Some(format!("theirs.{index}.value")),
        ["reference", index, "value"] => Some(format!("theirs.{index}.figure")),
        ["reference", ..] => Some(path.replacen("reference", "theirs", 1)),
        ["expect", index, "metric"] => Some(format!("expect.{index}.value")),
        _ => None,
    }
}

/// Renames the keys of a serialized experiment to their former names. Checkpoints identify the settings of their trials by a
/// checksum of this form, so that checkpoints of earlier versions can be resumed.
pub fn rename_to_former(experiment: &mut Value) {
    let tables = |key: &str, names: &[(&str, &str)], experiment: &mut Value| {
        let tables = experiment.get_mut(key).and_then(Value::as_array_mut);
        tables.into_iter().flatten().for_each(|table| rename(table, names));
    };
    tables("expect", &[("metric", "value")], experiment);
    tables("reference", &[("metric", "value"), ("value", "figure")], experiment);
    rename(experiment, &[("reference", "theirs")]);
}

/// Renames keys of a table and keeps their order.
fn rename(table: &mut Value, names: &[(&str, &str)]) {
    let Some(fields) = table.as_object_mut() else { return };
    let renamed = std::mem::take(fields).into_iter().map(|(key, value)| {
        let former = names.iter().find(|(current, _)| *current == key).map(|(_, former)| (*former).to_owned());
        (former.unwrap_or(key), value)
    });
    *fields = renamed.collect::<Map<_, _>>();
}

/// Returns the message for a key that is given by two of its names, from serde's "duplicate field". TOML itself refuses
/// a key that is given twice by the same name.
pub fn duplicate(message: &str) -> Option<String> {
    let key = message.strip_prefix("duplicate field `")?.strip_suffix('`')?;
    Some(match RENAMED.iter().find(|(current, _)| *current == key) {
        Some((current, former)) => {
            format!("`{current}` and `{former}` are the same key: `{former}` is its former name, remove it")
        }
        None => format!("`{key}` is given twice, by two of its names"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_and_current_paths_are_translated_into_each_other() {
        let pairs = [
            ("theirs", "reference"),
            ("theirs.0", "reference.0"),
            ("theirs.3.value", "reference.3.metric"),
            ("theirs.3.figure", "reference.3.value"),
            ("theirs.3.exact", "reference.3.exact"),
            ("expect.12.value", "expect.12.metric"),
        ];
        for (former, current) in pairs {
            assert_eq!(current_path(former), current);
            assert_eq!(former_path(current).unwrap(), former);
        }
        for path in ["expect.0.at_least", "train.epochs", "reference.0.value", "expect", ""] {
            assert_eq!(current_path(path), path);
        }
        assert_eq!(former_path("expect.0.at_least"), None);
    }

    #[test]
    fn a_serialized_experiment_gets_its_former_keys_in_the_same_order() {
        let mut experiment = serde_json::json!({
            "title": "t",
            "reference": [{ "metric": "last.loss", "value": 0.5, "variant": null, "exact": false }],
            "expect": [{ "claim": null, "metric": "last.loss", "at_most": 1.0 }],
        });
        rename_to_former(&mut experiment);
        let former = r#"{"title":"t","theirs":[{"value":"last.loss","figure":0.5,"variant":null,"exact":false}],"expect":[{"claim":null,"value":"last.loss","at_most":1.0}]}"#;
        assert_eq!(experiment.to_string(), former);
    }

    #[test]
    fn both_names_of_a_duplicate_key_are_named() {
        let both = duplicate("duplicate field `reference`").unwrap();
        assert!(both.starts_with("`reference` and `theirs` are the same key"), "{both}");
        assert_eq!(duplicate("duplicate field `batch`").unwrap(), "`batch` is given twice, by two of its names");
        assert_eq!(duplicate("missing field `title`"), None);
    }
}
