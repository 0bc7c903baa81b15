//! Values of settings as JSON.

use serde::Serialize;
use serde_json::Value;

/// Returns the name of a variant without data, as it is written in experiment files.
pub fn variant_name(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(name)) => name,
        other => unreachable!("{other:?} is no name"),
    }
}

/// Returns whether the value contains `nan` or `inf`, which TOML has and which become `null` in JSON.
pub fn has_non_finite(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_non_finite),
        Value::Object(fields) => fields.values().any(has_non_finite),
        _ => false,
    }
}

/// Returns whether two values are equal; 1 equals 1.0.
pub fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| is_same(value, other)))
        }
        (a, b) => a == b,
    }
}
