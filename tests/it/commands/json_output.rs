//! JSON output of commands.

use serde_json::Value;

use crate::support::{TestDir, stdout};

/// Runs a command and parses its stdout as JSON.
#[track_caller]
pub fn json(dir: &TestDir, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&dir.run(arguments).code(0))).unwrap()
}

/// Values of one key in a list of objects.
pub fn values_of<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}
