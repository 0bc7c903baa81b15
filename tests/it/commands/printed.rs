//! What a command prints as JSON.

use serde_json::Value;

use crate::support::{Place, stdout};

/// What a command prints as JSON.
#[track_caller]
pub fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&place.run(arguments).code(0))).unwrap()
}

/// The values of one key in a list of objects.
pub fn all<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}
