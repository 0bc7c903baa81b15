//! Overrides of settings, from the command line (`--set train.optimizer.adam.lr=0.01`) and from variants.
//!
//! The path must exist in the resolved experiment, so that a typo is an error. The value is written as in TOML; a bare
//! word is a string. An override of a table is applied before those of settings in it, in either order on the command line.

mod hints;
mod keys;

use std::mem::take;

use serde_json::Value;

use crate::config::values::has_non_finite;
use crate::experiment::spec::Spec;
use crate::experiment::spec::file_hints::toml;
use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::setting_keys::is_varied;
use crate::experiment::spec::setting_path::{find, find_for};
use crate::experiment::spec::source_text::{SpecError, reparse};
use crate::history::provenance::is_within;

pub use hints::several_values_hint;
pub use keys::canonical;

/// Applies overrides in their order.
///
/// # Errors
/// If a path does not exist or a value is invalid. The message names the override.
pub fn apply(spec: Spec, overrides: &[String]) -> Result<Spec, SpecError> {
    overrides.iter().try_fold(spec, |spec, written| {
        let fail = |message: String, hint: Option<String>| SpecError {
            message: format!("failed to apply `{}`: {message}", as_option(written)),
            hint,
        };
        let (path, value) = parse(written).map_err(|error| fail(error.message, error.hint))?;
        let meant = hints::layers_of_sizes(&spec, path, &value)
            .or_else(|| several_values(&spec, path, &value))
            .or_else(|| hints::longer_list(&spec, path, &value));
        set(spec, path, value).map_err(|error| fail(error.message, meant.or(error.hint)))
    })
}

/// Returns a hint on sweeps and variants if an override has several numbers that the setting can have.
fn several_values(spec: &Spec, path: &str, value: &Value) -> Option<String> {
    let (key, values) = hints::several_values(spec, path, value)?;
    let can_be_first = set(spec.clone(), &key, read_value(&values[0]).ok()?).is_ok();
    can_be_first.then(|| several_values_hint(&key, &values))
}

/// The beginning of a change that removes a setting: `unset train.clip`.
pub const UNSET: &str = "unset ";

/// Splits an override into path and value. The value is null if the override removes the setting.
///
/// # Errors
/// If `=` is missing or the value is not valid TOML.
pub fn parse(written: &str) -> Result<(&str, Value), SpecError> {
    if let Some(path) = written.strip_prefix(UNSET) {
        return Ok((path.trim(), Value::Null));
    }
    let (path, value) = written
        .split_once('=')
        .ok_or_else(|| SpecError::new("`=` is missing", "write KEY=VALUE, such as `--set train.epochs=5`"))?;
    let value = read_value(value.trim())
        .map_err(|message| SpecError { message, hint: hints::unquoted_list(path, value.trim()) })?;
    Ok((path.trim(), value))
}

/// Returns an override as it is written on the command line: `--set train.epochs=5` or `--unset train.clip`.
pub fn as_option(written: &str) -> String {
    match written.strip_prefix(UNSET) {
        Some(path) => format!("--unset {path}"),
        None => format!("--set {written}"),
    }
}

/// Settings that are left out of the JSON of an experiment if they have their default, each with the pointer to its table and
/// its default as JSON. Those of splits are in [`OMITTED_FROM_SPLIT`].
const OMITTED: [(&str, &str, &str); 13] = [
    ("/network", "from", "null"),
    ("/data/csv", "dates", "null"),
    ("/data/csv", "missing_values", "null"),
    ("/data/csv", "na_values", "[]"),
    ("/data/csv", "decimal", "null"),
    ("/data/csv", "thousands", "null"),
    ("/data/images", "validation", "null"),
    ("/data/images", "test", "null"),
    ("/data/images", "classes", "null"),
    ("/data/images", "path_column", r#""path""#),
    ("/data/images", "label_column", r#""label""#),
    ("/data/images", "root", "null"),
    ("/data/images", "cache", "true"),
];

/// Settings of a split that are left out if they are not set.
const OMITTED_FROM_SPLIT: [&str; 3] = ["column", "group", "order_by"];

/// Returns the experiment with a setting replaced. If the value is null, the setting is removed, so that it has its default.
///
/// # Errors
/// If the setting does not exist, is not set, or the value is invalid.
pub fn set(mut spec: Spec, path: &str, value: Value) -> Result<Spec, SpecError> {
    let path = &*current_path(path);
    // expectations are most of a file: they are converted to JSON only if the override sets them
    let kept = is_varied(path).then(|| (take(&mut spec.variants), take(&mut spec.theirs), take(&mut spec.expect)));
    let mut tree = settings_tree(&spec);
    let path = canonical(&tree, path);
    let table = path.split('.').next().unwrap_or_default();
    let is_of_network = matches!(table, "train" | "network") && tree[table].is_null() && !tree["tree"].is_null();
    let is_removed = value.is_null();
    match is_removed {
        true => remove(&mut tree, &path)?,
        false => *find_for(&mut tree, &path, Some(&toml(&value)))? = value.clone(),
    }
    let changed: Spec = reparse(tree, Some((&path, &value))).map_err(|error: SpecError| {
        match is_removed && error.message.starts_with("required key is missing") {
            true => SpecError::new(format!("`{path}` is required"), "set another value"),
            false if is_of_network => SpecError::new(
                "the experiment has a decision tree and no network",
                "leave it out; see `[tree]` for the settings of trees",
            ),
            false => error,
        }
    })?;
    if is_removed && changed == spec {
        let hint = "remove `--unset`: the setting is absent or has its default";
        return Err(SpecError::new(format!("`{path}` is not set"), hint));
    }
    Ok(match kept {
        Some((variants, theirs, expect)) => Spec { variants, theirs, expect, ..changed },
        None => changed,
    })
}

/// Returns the experiment as JSON, with the settings that can be set but are absent.
pub fn settings_tree(spec: &Spec) -> Value {
    let mut tree = serde_json::to_value(spec).expect("an experiment has JSON types only");
    for (table, key, absent) in OMITTED {
        if let Some(table) = tree.pointer_mut(table).and_then(Value::as_object_mut) {
            table.entry(key).or_insert_with(|| absent.parse().expect("a default is JSON"));
        }
    }
    let sources = tree["data"].as_object_mut().into_iter().flat_map(|data| data.values_mut());
    for split in sources.filter_map(|source| source.get_mut("split")?.as_object_mut()) {
        for key in OMITTED_FROM_SPLIT {
            split.entry(key).or_insert(Value::Null);
        }
    }
    tree
}

/// Checks that a setting exists. `tree` is the result of [`settings_tree`].
///
/// # Errors
/// If it does not.
pub fn check_path(tree: &Value, path: &str) -> Result<(), SpecError> {
    find(&mut tree.clone(), path).map(drop)
}

/// Returns the overrides of the command line with the full keys of the experiment, `train.batch=32` for `train.batch_size=32`
/// and for `batch=32`, in the order in which they are applied: that of a table comes before those of settings in it. Names
/// are those of settings after the changes of tables: with `optimizer=sgd`, `lr=0.1` is `train.optimizer.sgd.lr=0.1`.
pub fn with_canonical_keys(spec: &Spec, overrides: &[String]) -> Vec<String> {
    if overrides.is_empty() {
        return Vec::new();
    }
    let written = settings_tree(spec);
    let mut changed = Spec { variants: Vec::new(), theirs: Vec::new(), expect: Vec::new(), ..spec.clone() };
    let mut tree = settings_tree(&changed);
    let mut resolved: Vec<Option<(String, String)>> = vec![None; overrides.len()];
    for _ in overrides {
        // the shortest key first: it may replace the table that the others are in
        let next = (0..overrides.len()).filter(|index| resolved[*index].is_none()).map(|index| {
            let (path, value) = split(&overrides[index]);
            // lists such as the variants do not depend on other changes
            let is_list = written.get(path.split('.').next().unwrap_or(path)).is_some_and(Value::is_array);
            let key = keys::full_key(if is_list { &written } else { &tree }, path);
            let depth = if check_path(&tree, &key).is_ok() { key.split('.').count() } else { usize::MAX };
            (depth, index, key, value)
        });
        let Some((_, index, key, value)) = next.min_by_key(|(depth, index, ..)| (*depth, *index)) else { break };
        let change = match value {
            _ if overrides[index].starts_with(UNSET) => format!("{UNSET}{key}"),
            Some(value) => format!("{key}={value}"),
            None => overrides[index].clone(),
        };
        if overrides.len() > 1
            && let Ok(next) = apply(changed.clone(), std::slice::from_ref(&change))
        {
            changed = next;
            tree = settings_tree(&changed);
        }
        resolved[index] = Some((key, change));
    }
    let resolved: Vec<(String, String)> = resolved.into_iter().flatten().collect();
    // a table takes the place of the first setting in it
    let place = |index: usize| {
        let is_in = |key: &String| key.strip_prefix(&*resolved[index].0).is_some_and(|rest| rest.starts_with('.'));
        (0..index).find(|earlier| is_in(&resolved[*earlier].0)).map_or((index, 1), |earlier| (earlier, 0))
    };
    let mut order: Vec<usize> = (0..resolved.len()).collect();
    order.sort_by_key(|index| (place(*index), resolved[*index].0.split('.').count()));
    order.into_iter().map(|index| resolved[index].1.clone()).collect()
}

/// Returns the path and the value of an override; no value if it removes the setting or lacks `=`.
fn split(written: &str) -> (&str, Option<&str>) {
    match (written.strip_prefix(UNSET), written.split_once('=')) {
        (Some(path), _) => (path.trim(), None),
        (None, Some((path, value))) => (path.trim(), Some(value)),
        (None, None) => (written, None),
    }
}

/// Checks that no override replaces the value that another one sets. `overrides` have full keys.
///
/// # Errors
/// If two overrides set one setting to different values.
pub fn check_distinct(overrides: &[String]) -> Result<(), SpecError> {
    fn collect(path: &str, value: Value, values: &mut Vec<(String, Value)>) {
        for (key, inner) in value.as_object().into_iter().flatten() {
            collect(&format!("{path}.{key}"), inner.clone(), values);
        }
        values.push((path.to_owned(), value));
    }
    let mut known: Vec<(String, Value, &String)> = Vec::new();
    for written in overrides {
        let Ok((path, value)) = parse(written) else { continue }; // reported when it is applied
        let mut values = Vec::new();
        collect(path, value, &mut values);
        for (path, value) in values {
            if let Some((.., other)) = known.iter().find(|(known, set, _)| *known == path && *set != value) {
                let message = format!("`{}` and `{}` both change `{path}`", as_option(other), as_option(written));
                return Err(SpecError::new(message, "keep one of them"));
            }
            known.push((path, value, written));
        }
    }
    Ok(())
}

/// Returns whether a setting can have this value. A wrong value for a setting that is not a table is an error of its own.
pub fn can_be_set(spec: &Spec, key: &str, value: &str) -> bool {
    let tree = serde_json::to_value(spec).expect("an experiment has JSON types only");
    let is_table = tree.pointer(&format!("/{}", key.replace('.', "/"))).is_some_and(Value::is_object);
    !is_table || apply(spec.clone(), &[format!("{key}={value}")]).is_ok()
}

/// Returns the last override of this key, of a key below it, or of a table that contains it.
pub fn last_of<'a>(key: &str, overrides: &'a [String]) -> Option<&'a String> {
    overrides.iter().rev().find(|written| {
        let path = written.strip_prefix(UNSET).unwrap_or(written).split('=').next().unwrap_or_default().trim();
        is_within(key, path) || is_within(path, key)
    })
}

/// Removes the setting at a path.
fn remove(tree: &mut Value, path: &str) -> Result<(), SpecError> {
    find(tree, path)?;
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    match if table.is_empty() { tree } else { find(tree, table)? } {
        Value::Object(fields) => {
            fields.shift_remove(key);
            Ok(())
        }
        _ => Err(SpecError::new(
            format!("`{path}` is an item of a list"),
            format!("set the whole list: `--set {table}=[…]`"),
        )),
    }
}

/// Parses a TOML value. A bare word is a string.
///
/// # Errors
/// If a number is not finite, or a list, table or quoted text is not valid TOML.
pub fn read_value(text: &str) -> Result<Value, String> {
    match toml_edit::de::from_str::<Value>(&format!("value = {text}")) {
        Ok(mut table) => match table["value"].take() {
            value if has_non_finite(&value) => Err("numbers must be finite".to_owned()),
            value => Ok(value),
        },
        Err(error) if text.starts_with(['{', '[', '"', '\'']) => {
            Err(format!("the value is not valid TOML: {}", error.message()))
        }
        Err(_) => Ok(Value::String(text.to_owned())),
    }
}
