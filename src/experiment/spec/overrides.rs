//! Overrides of settings, from the command line (`--set train.optimizer.adam.lr=0.01`) and from variants.
//!
//! The path must exist in the resolved experiment, so that a typo is an error. The value is written as in TOML; a bare
//! word is a string.

use std::mem::take;

use serde_json::Value;

use crate::config::values::has_non_finite;
use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::setting_keys::{is_varied, keys_in, keys_named};
use crate::experiment::spec::setting_path::find;
use crate::experiment::spec::source_text::{SpecError, reparse};
use crate::experiment::spec::{Spec, aliases};

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
        let meant = several_values(&spec, path, &value).or_else(|| longer_list(&spec, path, &value));
        set(spec, path, value).map_err(|error| fail(error.message, meant.or(error.hint)))
    })
}

/// Returns a hint on variants if an override has several numbers, separated by commas or as a list.
fn several_values(spec: &Spec, path: &str, value: &Value) -> Option<String> {
    let first = match value {
        Value::Array(items) if items.len() > 1 && items.iter().all(Value::is_number) => items[0].to_string(),
        Value::String(text) if text.split(',').all(|item| item.trim().parse::<f64>().is_ok()) => {
            text.split_once(',')?.0.to_owned()
        }
        _ => return None,
    };
    let meant = keys_named(spec, path.rsplit('.').next().unwrap_or(path));
    Some(variants_hint(meant.first().map_or(path, String::as_str), &first))
}

/// Returns the list that is meant if one text is set in place of a list of texts: the text added to the list.
fn longer_list(spec: &Spec, path: &str, value: &Value) -> Option<String> {
    let tree = serde_json::to_value(spec).expect("an experiment has JSON types only");
    let key = canonical(&tree, &current_path(path));
    let known = tree.pointer(&format!("/{}", key.replace('.', "/")))?.as_array()?;
    let items: Vec<&str> = known.iter().map(Value::as_str).collect::<Option<_>>()?;
    let added = value.as_str().filter(|text| !items.contains(text))?;
    Some(format!("write the whole list: `--set '{key}={}'`", list_of_texts(items.into_iter().chain(added.split(',')))))
}

/// Returns a list of texts in TOML.
fn list_of_texts<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = texts.map(|text| toml_edit::Value::from(text.trim()).to_string()).collect();
    format!("[{}]", quoted.join(", "))
}

/// Returns the hint for a value that is not TOML: a list of words without quotes.
fn unquoted_list(path: &str, value: &str) -> Option<String> {
    let items = value.strip_prefix('[')?.strip_suffix(']').filter(|items| !items.contains(['"', '\'', '[', '{']))?;
    Some(format!("put texts in quotes: `--set '{}={}'`", path.trim(), list_of_texts(items.split(','))))
}

/// Returns how to train with several values of a setting.
pub fn variants_hint(path: &str, first: &str) -> String {
    format!(
        "for several values, write a table `[[variants]]` for each: `name = \"a\"`, `set = {{ \"{path}\" = {first} }}`; \
         or run the command once for each"
    )
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
    let (path, value) = written.split_once('=').ok_or_else(|| SpecError {
        message: "`=` is missing".to_owned(),
        hint: Some("write KEY=VALUE, such as `--set train.epochs=5`".to_owned()),
    })?;
    let value =
        read_value(value.trim()).map_err(|message| SpecError { message, hint: unquoted_list(path, value.trim()) })?;
    Ok((path.trim(), value))
}

/// Returns an override as it is written on the command line: `--set train.epochs=5` or `--unset train.clip`.
pub fn as_option(written: &str) -> String {
    match written.strip_prefix(UNSET) {
        Some(path) => format!("--unset {path}"),
        None => format!("--set {written}"),
    }
}

/// Value of a setting that is not set.
enum Absent {
    /// Null.
    Null,
    /// An empty list.
    List,
    /// A text.
    Text(&'static str),
    /// True.
    Yes,
}

/// Settings that are left out of the JSON of an experiment if they have their default, each with the pointer to its table and
/// its default. Those of splits are in [`OMITTED_FROM_SPLIT`].
const OMITTED: [(&str, &str, Absent); 13] = [
    ("/network", "from", Absent::Null),
    ("/data/csv", "dates", Absent::Null),
    ("/data/csv", "missing_values", Absent::Null),
    ("/data/csv", "na_values", Absent::List),
    ("/data/csv", "decimal", Absent::Null),
    ("/data/csv", "thousands", Absent::Null),
    ("/data/images", "validation", Absent::Null),
    ("/data/images", "test", Absent::Null),
    ("/data/images", "classes", Absent::Null),
    ("/data/images", "path_column", Absent::Text("path")),
    ("/data/images", "label_column", Absent::Text("label")),
    ("/data/images", "root", Absent::Null),
    ("/data/images", "cache", Absent::Yes),
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
        false => *find(&mut tree, &path)? = value.clone(),
    }
    let changed = reparse(tree, Some((&path, &value))).map_err(|error: SpecError| {
        match is_removed && error.message.starts_with("required key is missing") {
            true => SpecError { message: format!("`{path}` is required"), hint: Some("set another value".to_owned()) },
            false if is_of_network => SpecError {
                message: "the experiment has a decision tree and no network".to_owned(),
                hint: Some("leave it out; see `[tree]` for the settings of trees".to_owned()),
            },
            false => error,
        }
    })?;
    if is_removed && changed == spec {
        let hint = "remove `--unset`: the setting is absent or has its default".to_owned();
        return Err(SpecError { message: format!("`{path}` is not set"), hint: Some(hint) });
    }
    let spec: Spec = changed;
    Ok(match kept {
        Some((variants, theirs, expect)) => Spec { variants, theirs, expect, ..spec },
        None => spec,
    })
}

/// Returns the experiment as JSON, with the settings that can be set but are absent.
pub fn settings_tree(spec: &Spec) -> Value {
    let mut tree = serde_json::to_value(spec).expect("an experiment has JSON types only");
    for (table, key, absent) in OMITTED {
        if let Some(table) = tree.pointer_mut(table).and_then(Value::as_object_mut) {
            table.entry(key).or_insert_with(|| match absent {
                Absent::Null => Value::Null,
                Absent::List => Value::Array(Vec::new()),
                Absent::Text(text) => Value::String(text.to_owned()),
                Absent::Yes => Value::Bool(true),
            });
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

/// Returns the overrides of the command line with the keys of the experiment: `train.batch=32` for `train.batch_size=32` and
/// for `batch=32`.
pub fn with_canonical_keys(spec: &Spec, overrides: &[String]) -> Vec<String> {
    let tree = settings_tree(spec);
    let canonical = |path: &str| {
        let path = current_path(path.trim());
        full_key(&tree, &path).unwrap_or_else(|| canonical(&tree, &path))
    };
    let overrides = overrides.iter().map(|written| match (written.strip_prefix(UNSET), written.split_once('=')) {
        (Some(path), _) => format!("{UNSET}{}", canonical(path)),
        (None, Some((path, value))) => format!("{}={value}", canonical(path)),
        (None, None) => written.clone(),
    });
    overrides.collect()
}

/// Returns the full key of the setting that has this name, if it is the only one: `train.optimizer.adam.lr` for `lr`.
fn full_key(tree: &Value, name: &str) -> Option<String> {
    let is_name = !name.contains('.') && tree.get(name).is_none();
    match &keys_in(tree, name)[..] {
        [key] if is_name => Some(key.clone()),
        _ => None,
    }
}

/// Returns the path with the keys of the experiment in place of their aliases. Parts that do not exist stay as they are.
pub fn canonical(tree: &Value, path: &str) -> String {
    let mut place = Some(tree);
    let parts: Vec<&str> = path.split('.').collect();
    let known = parts.into_iter().map(|part| {
        let fields = place.and_then(Value::as_object);
        let part = fields.map_or(part, |fields| match fields.contains_key(part) {
            true => part,
            false => aliases::current(part)
                .find(|key| fields.contains_key(*key))
                .or_else(|| chosen_class(fields, part))
                .unwrap_or(part),
        });
        place = place.and_then(|place| match place {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            place => place.get(part),
        });
        part
    });
    known.collect::<Vec<_>>().join(".")
}

/// Returns the name of a choice if the class of PyTorch means it: `adam` for `Adam`, `step` for `StepLR`.
fn chosen_class<'a>(fields: &'a serde_json::Map<String, Value>, class: &str) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    let (chosen, _) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let class = plain(class);
    [&*class, class.trim_end_matches("lr"), class.trim_end_matches("loss")]
        .contains(&&*plain(chosen))
        .then_some(chosen.as_str())
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
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        within(key, path) || within(path, key)
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
        _ => {
            let hint = format!("set the whole list: `--set {table}=[…]`");
            Err(SpecError { message: format!("`{path}` is an item of a list"), hint: Some(hint) })
        }
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
