//! The JSON Schema of experiment files, for completion and validation in editors.
//!
//! The schema is derived from [`Spec`] and extended by what experiment files may abbreviate: a name instead of a table
//! (`"adam"`), a number instead of settings (`{ linear = 64 }`), and the names of PyTorch and Keras.

use serde_json::{Map, Value, json};

use crate::experiment::spec::{Spec, aliases};

/// Tables that may be abbreviated by a number, although they are not one of several named choices.
const NUMBERS: [&str; 1] = ["early_stopping"];

/// Optional parts, for which `"none"` means that they are absent.
const OPTIONAL: [&str; 9] =
    ["augment", "class_weights", "clip", "early_stopping", "init", "max_depth", "penalty", "resample", "threshold"];

/// Returns the JSON Schema of experiment files.
///
/// # Panics
/// If the schema cannot be represented in JSON, which is a bug.
pub fn json_schema() -> Value {
    let mut schema = serde_json::to_value(schemars::schema_for!(Spec)).expect("a schema is JSON");
    extend(&mut schema);
    add_extends(&mut schema);
    schema
}

/// Adds `extends`. A file that extends another one may omit keys that are otherwise required.
fn add_extends(schema: &mut Value) {
    let Some(root) = schema.as_object_mut() else { return };
    let Some(Value::Object(mut definitions)) = root.remove("$defs") else { return };
    let required = take_required(root, &mut definitions);
    root.insert("$defs".to_owned(), definitions.into());
    let description = "The experiment that this file changes: the path of its file, relative to this one, or its name.";
    if let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("extends".to_owned(), json!({ "type": "string", "description": description }));
    }
    root.insert("if".to_owned(), json!({ "not": { "required": ["extends"] } }));
    root.insert("then".to_owned(), required.into());
}

/// Removes `required` from a schema and the tables in it, and returns a schema that requires the same. A choice keeps its
/// `required`, which names it.
fn take_required(schema: &mut Map<String, Value>, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let mut taken = Map::new();
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    if let Some(name) = reference.map(str::to_owned) {
        let mut definition = definitions.get_mut(&name).map(Value::take).unwrap_or_default();
        taken = definition.as_object_mut().map(|found| take_required(found, definitions)).unwrap_or_default();
        definitions.insert(name, definition);
    }
    let choices = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    for choice in choices.into_iter().flatten().filter_map(Value::as_object_mut) {
        let is_named = choice.contains_key("properties") && choice.contains_key("required");
        let inner = match is_named {
            true => take_from_properties(choice, definitions),
            false => take_required(choice, definitions),
        };
        merge_properties(&mut taken, inner);
    }
    merge_properties(&mut taken, take_from_properties(schema, definitions));
    if let Some(required) = schema.shift_remove("required").filter(|required| *required != json!([])) {
        taken.insert("required".to_owned(), required);
    }
    taken
}

/// Does the same with the properties of a schema.
fn take_from_properties(schema: &mut Map<String, Value>, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let mut properties = Map::new();
    for (key, value) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let inner = value.as_object_mut().map(|value| take_required(value, definitions)).unwrap_or_default();
        if !inner.is_empty() {
            properties.insert(key.clone(), inner.into());
        }
    }
    match properties.is_empty() {
        true => Map::new(),
        false => Map::from_iter([("properties".to_owned(), properties.into())]),
    }
}

/// Adds what `more` requires to `taken`.
fn merge_properties(taken: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (taken.get_mut(&key), value) {
            (Some(Value::Object(present)), Value::Object(added)) if key == "properties" => present.extend(added),
            (_, value) => {
                taken.insert(key, value);
            }
        }
    }
}

/// Extends a schema and everything in it.
fn extend(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(extend);
            add_abbreviations(fields);
            add_other_names(fields);
        }
        Value::Array(items) => items.iter_mut().for_each(extend),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Allows a choice, such as the optimizer, to be abbreviated by its name or by a number.
fn add_abbreviations(fields: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = fields.get("oneOf") else { return };
    let mut choices = choices.clone();
    let mut names = Vec::new();
    for choice in &mut choices {
        let Some(properties) = choice.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        for (name, settings) in properties {
            names.push(name.clone());
            *settings = json!({ "anyOf": [settings.take(), { "type": ["number", "string", "array"] }] });
        }
    }
    if names.is_empty() {
        return;
    }
    choices.push(json!({ "enum": names }));
    choices.push(json!({ "type": "string", "description": "The name, in PyTorch or Keras." }));
    choices.push(json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "description": "The name, in PyTorch or Keras, with its settings."
    }));
    fields.remove("oneOf");
    fields.insert("anyOf".to_owned(), choices.into());
}

/// Allows the other names of the keys of a table.
fn add_other_names(fields: &mut Map<String, Value>) {
    let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for key in NUMBERS {
        if let Some(table) = properties.get_mut(key) {
            *table = json!({ "anyOf": [table.take(), { "type": "number" }] });
        }
    }
    for key in OPTIONAL {
        if let Some(part) = properties.get_mut(key) {
            *part = json!({ "anyOf": [part.take(), { "const": "none" }] });
        }
    }
    let mut renamed = Vec::new();
    for (key, others) in aliases::KEYS {
        let Some(schema) = properties.get(key).cloned() else { continue };
        renamed.push(key);
        for other in others {
            if !properties.contains_key(*other) {
                properties.insert((*other).to_owned(), schema.clone());
            }
        }
    }
    if let Some(Value::Array(required)) = fields.get_mut("required") {
        required.retain(|key| !renamed.iter().any(|name| key == name));
    }
}
