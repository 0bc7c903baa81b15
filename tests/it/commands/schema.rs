//! `schema`: the JSON Schema of a history. Histories match it.

use serde_json::Value;

use super::json_output::json;
use crate::support::{TestDir, assert_says, idea_with};

/// Lists where a value violates a JSON Schema. Supports only the keywords that the history schema uses.
fn schema_violations(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return schema_violations(root, root.pointer(reference.trim_start_matches('#')).unwrap(), value, at);
    }
    let mut found = Vec::new();
    if let Some(any) = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array) {
        let each: Vec<_> = any.iter().map(|one| schema_violations(root, one, value, at)).collect();
        if each.iter().all(|schema_violations| !schema_violations.is_empty()) {
            found.push(format!("{at} is none of {}", any.len()));
        }
    }
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    };
    let allowed = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => true,
    };
    if !allowed {
        found.push(format!("{at} is not of type {}", schema["type"]));
    }
    if schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value))
        || schema.get("const").is_some_and(|word| word != value)
    {
        found.push(format!("{at} is another word"));
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
        found.extend(required.filter(|name| !object.contains_key(*name)).map(|name| format!("{at} lacks {name}")));
        for (name, value) in object {
            match (schema["properties"].get(name), schema.get("additionalProperties")) {
                (Some(of), _) => found.extend(schema_violations(root, of, value, &format!("{at}.{name}"))),
                (None, Some(Value::Bool(false))) => found.push(format!("{at} has {name} too")),
                (None, Some(of)) if of.is_object() => {
                    found.extend(schema_violations(root, of, value, &format!("{at}.{name}")))
                }
                _ => {}
            }
        }
    }
    if let (Some(items), Some(of)) = (value.as_array(), schema.get("items")) {
        found.extend(
            items.iter().enumerate().flat_map(|(i, item)| schema_violations(root, of, item, &format!("{at}.{i}"))),
        );
    }
    found
}

#[test]
fn histories_match_the_schema() {
    let dir = TestDir::new();
    let schema = json(&dir, &["schema"]);
    assert_says(schema["$schema"].as_str().unwrap(), &["json-schema.org"]);
    dir.write("diverging.toml", idea_with("lr = 1e-3", "lr = 1e30"));
    let split = "split = { test = 0.2, validation = 0.2 }";
    dir.write("split.toml", idea_with("[data.digits]", &format!("[data.digits]\n{split}")));
    let two =
        idea_with("[data.digits]", &format!("[data.breast_cancer]\n{split}")).replace("linear = 10", "linear = 2");
    dir.write("two_classes.toml", two);
    for experiment in ["digits_mlp", "mlp_xor", "diverging.toml", "split.toml", "two_classes.toml"] {
        let history = dir.history(&[experiment, "--epochs", "3"]);
        assert_eq!(schema_violations(&schema, &schema, &history, "history"), [""; 0], "{experiment}");
        let known = schema["properties"].as_object().unwrap();
        for name in history.as_object().unwrap().keys() {
            assert!(known.contains_key(name), "{name} is not in the schema");
            let required = schema["required"].as_array().unwrap().contains(&name.as_str().into());
            let mut without = history.clone();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(
                schema_violations(&schema, &schema, &without, "history").is_empty(),
                !required,
                "without {name}"
            );
        }
        let mut wrong = history.clone();
        wrong["history"]["loss"][0] = "one".into();
        wrong["status"] = "finished".into();
        assert_eq!(schema_violations(&schema, &schema, &wrong, "history").len(), 2);
    }
}
