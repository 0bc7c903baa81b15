//! A place with a run in it, and what `eval` and `predict` print of it.

use std::path::PathBuf;

use runner::data::Loaded;
use runner::data::source::DataSpec;
use runner::data::split::Split;
use serde_json::Value;

use crate::support::{Place, stdout};

/// What a command prints as JSON.
#[track_caller]
pub fn printed(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&place.run(arguments).code(0))).unwrap()
}

/// The trials of an evaluation.
#[track_caller]
pub fn evaluated(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let all = [&["eval", "--json", "--device", "cpu"], arguments].concat();
    printed(place, &all)["trials"].as_array().unwrap().clone()
}

/// The predictions of a network.
#[track_caller]
pub fn predicted(place: &Place, arguments: &[&str]) -> Vec<Value> {
    printed(place, &[&["predict", "--json"], arguments].concat())["predictions"].as_array().unwrap().clone()
}

/// Two numbers are the same but for rounding.
#[track_caller]
pub fn assert_near(found: &Value, wanted: &Value) {
    let (a, b) = (found.as_f64().unwrap(), wanted.as_f64().unwrap());
    assert!((a - b).abs() <= 1e-6 + 1e-5 * b.abs(), "{found} is not {wanted}");
}

/// Each figure that was taken anew is that of the history.
#[track_caller]
pub fn assert_as_in_the_history(trial: &Value) {
    assert_eq!(trial["same"], true, "{trial}");
    for (name, stated) in trial["history"].as_object().unwrap() {
        assert_near(&trial["figures"][name], stated);
    }
}

/// A file in the newest run of an experiment.
pub fn file(place: &Place, experiment: &str, name: &str) -> PathBuf {
    place.path(&format!("runs/{experiment}/latest/{name}"))
}

pub fn experiment(data: &str, layers: &str, train: &str) -> String {
    format!(
        "title = \"An idea\"\n{data}\n[network]\nlayers = {layers}\n[train]\nbatch = 64\noptimizer = \"adam\"\n{train}\n"
    )
}

pub const DIGITS: &str =
    "[data.digits]\nscale = \"unit\"\nsplit = { test = 0.2, validation = 0.2, random_state = 1, stratify = true }";

pub const CLASSIFY: &str = "epochs = 3\nloss = \"cross_entropy\"";

/// A place with a run of `idea` in it.
pub fn place_with(text: &str, arguments: &[&str]) -> Place {
    let place = Place::new();
    place.write("idea.toml", text);
    place.exp(&[&["idea.toml"], arguments].concat());
    place
}

pub fn place_with_digits() -> Place {
    place_with(&experiment(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]", CLASSIFY), &[])
}

/// A data set by its settings, and how it is split.
pub fn loaded(spec: Value) -> (Loaded, Split) {
    let spec: DataSpec = serde_json::from_value(spec).unwrap();
    let cache = runner::data::store::cache::Cache::at("/nowhere");
    let loaded = spec.load(&cache, &mut ()).unwrap();
    (loaded, spec.split())
}
