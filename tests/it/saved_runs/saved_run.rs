//! A directory with a run, and the output of `eval` and `predict`.

use std::path::PathBuf;

use runner::data::Loaded;
use runner::data::source::DataSpec;
use runner::data::split::Split;
use serde_json::Value;

use crate::support::{TestDir, stdout};

/// Runs a command and parses its stdout as JSON.
#[track_caller]
pub fn json_output(dir: &TestDir, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&dir.run(arguments).code(0))).unwrap()
}

/// Trials in the output of `eval`.
#[track_caller]
pub fn evaluations(dir: &TestDir, arguments: &[&str]) -> Vec<Value> {
    let all = [&["eval", "--json", "--device", "cpu"], arguments].concat();
    json_output(dir, &all)["trials"].as_array().unwrap().clone()
}

/// Predictions in the output of `predict`.
#[track_caller]
pub fn predictions(dir: &TestDir, arguments: &[&str]) -> Vec<Value> {
    json_output(dir, &[&["predict", "--json"], arguments].concat())["predictions"].as_array().unwrap().clone()
}

/// Asserts that two numbers are equal except for rounding errors.
#[track_caller]
pub fn assert_near(found: &Value, expected: &Value) {
    let (a, b) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((a - b).abs() <= 1e-6 + 1e-5 * b.abs(), "{found} is not {expected}");
}

/// Asserts that each recomputed metric equals the one of the history.
#[track_caller]
pub fn assert_equals_history(trial: &Value) {
    assert_eq!(trial["same"], true, "{trial}");
    for (name, stated) in trial["history"].as_object().unwrap() {
        assert_near(&trial["metrics"][name], stated);
    }
}

/// A file in the newest run of an experiment.
pub fn file(dir: &TestDir, experiment: &str, name: &str) -> PathBuf {
    dir.path(&format!("runs/{experiment}/latest/{name}"))
}

pub fn experiment(data: &str, layers: &str, train: &str) -> String {
    format!(
        "title = \"An idea\"\n{data}\n[network]\nlayers = {layers}\n[train]\nbatch = 64\noptimizer = \"adam\"\n{train}\n"
    )
}

pub const DIGITS: &str =
    "[data.digits]\nscale = \"unit\"\nsplit = { test = 0.2, validation = 0.2, random_state = 1, stratify = true }";

pub const CLASSIFY: &str = "epochs = 3\nloss = \"cross_entropy\"";

/// A directory with a run of the experiment `idea`.
pub fn dir_with(text: &str, arguments: &[&str]) -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", text);
    dir.exp(&[&["idea.toml"], arguments].concat());
    dir
}

pub fn dir_with_digits_run() -> TestDir {
    dir_with(&experiment(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]", CLASSIFY), &[])
}

/// Loads a data set by its settings. Also returns its split.
pub fn load(spec: Value) -> (Loaded, Split) {
    let spec: DataSpec = serde_json::from_value(spec).unwrap();
    let cache = runner::data::store::cache::Cache::at("/nowhere");
    let loaded = spec.load(&cache, &mut ()).unwrap();
    (loaded, spec.split())
}
