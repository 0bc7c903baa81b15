//! Hints on overrides whose value cannot be applied: several values, sizes in place of layers, one text in place of a list.

use serde_json::Value;

use crate::experiment::spec::Spec;
use crate::experiment::spec::file_hints::toml;
use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::overrides::keys::canonical;
use crate::experiment::spec::setting_keys::keys_named;
use crate::experiment::spec::setting_path::exists;

/// Names of Keras and scikit-learn for the sizes of hidden layers, besides `layers`.
const SIZES: [&str; 7] =
    ["hidden", "hidden_layer_sizes", "hidden_layers", "hidden_size", "hidden_sizes", "hidden_units", "dense"];

/// Returns the layers that are meant if `network.layers` is set to sizes: linear layers of these sizes, with the last layer
/// of the experiment.
pub(super) fn layers_of_sizes(spec: &Spec, path: &str, value: &Value) -> Option<String> {
    let sizes = match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()?,
        Value::Number(size) => vec![size.as_u64()?],
        Value::String(sizes) => sizes.split(',').map(|size| size.trim().parse().ok()).collect::<Option<Vec<u64>>>()?,
        _ => return None,
    };
    let name = path.strip_prefix("network.").unwrap_or(path).to_lowercase();
    let network = spec.network.as_ref().filter(|_| name == "layers" || SIZES.contains(&&*name))?;
    let network = serde_json::to_value(network).expect("an experiment has JSON types only");
    let layers = network.get("layers")?.as_array()?;
    let first = layers.first().filter(|first| first.as_str() == Some("flatten")).map(|_| "\"flatten\"".to_owned());
    let hidden = sizes.iter().map(|size| format!("{{ linear = {size} }}, \"relu\""));
    let last = layers.last().map(|last| match last.pointer("/linear/units") {
        Some(units) => format!("{{ linear = {units} }}"),
        None => toml(last),
    });
    let layers: Vec<String> = first.into_iter().chain(hidden).chain(last).collect();
    Some(format!("write layers: `--set 'network.layers=[{}]'`", layers.join(", ")))
}

/// Returns the full key of a setting and its values if an override has several numbers, separated by commas or as a list.
pub(super) fn several_values(spec: &Spec, path: &str, value: &Value) -> Option<(String, Vec<String>)> {
    let values: Vec<String> = match value {
        Value::Array(items) if items.iter().all(Value::is_number) => items.iter().map(Value::to_string).collect(),
        Value::String(text) if text.split(',').all(|item| item.trim().parse::<f64>().is_ok()) => {
            text.split(',').map(|item| item.trim().to_owned()).collect()
        }
        _ => return None,
    };
    let meant = keys_named(spec, path.rsplit('.').next().unwrap_or(path));
    let key = match meant.first() {
        Some(key) => key.as_str(),
        None if exists(&serde_json::to_value(spec).ok()?, path) => path,
        None => return None,
    };
    (values.len() > 1).then(|| (key.to_owned(), values))
}

/// Returns the list that is meant if one text is set in place of a list of texts: the text added to the list; for `none`,
/// how to remove the list.
pub(super) fn longer_list(spec: &Spec, path: &str, value: &Value) -> Option<String> {
    let tree = serde_json::to_value(spec).expect("an experiment has JSON types only");
    let key = canonical(&tree, &current_path(path));
    let known = tree.pointer(&format!("/{}", key.replace('.', "/")))?.as_array()?;
    let items: Vec<&str> = known.iter().map(Value::as_str).collect::<Option<_>>()?;
    let added = value.as_str().filter(|text| !items.contains(text))?;
    if added == "none" {
        return Some(format!("remove the list: `--unset {key}`"));
    }
    Some(format!("write the whole list: `--set '{key}={}'`", list_of_texts(items.into_iter().chain(added.split(',')))))
}

/// Returns a list of texts in TOML.
fn list_of_texts<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = texts.map(|text| toml_edit::Value::from(text.trim()).to_string()).collect();
    format!("[{}]", quoted.join(", "))
}

/// Returns the hint for a value that is not TOML: a list of words without quotes.
pub(super) fn unquoted_list(path: &str, value: &str) -> Option<String> {
    let items = value.strip_prefix('[')?.strip_suffix(']').filter(|items| !items.contains(['"', '\'', '[', '{']))?;
    Some(format!("put texts in quotes: `--set '{}={}'`", path.trim(), list_of_texts(items.split(','))))
}

/// Returns how to train with several values of a setting: as a sweep, or as variants.
pub fn several_values_hint(key: &str, values: &[String]) -> String {
    format!(
        "for several values, use `runner sweep` with `--space {key}={}`, or write a table `[[variants]]` for each: \
         `name = \"a\"`, `set = {{ \"{key}\" = {} }}`",
        values.join(","),
        values.first().map_or("", String::as_str)
    )
}
