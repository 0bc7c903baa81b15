//! Fixtures (reference values in `tests/golden/*.json`) and comparisons with them.

use std::path::Path;
use std::sync::Mutex;

use runner::network::NetworkSpec;
use runner::network::layer::Layer;
use serde_json::{Value, json};
use tch::{Kind, Tensor};

/// libtorch has one random generator per process: tests that use it run one after the other.
pub static GENERATOR: Mutex<()> = Mutex::new(());

/// Loads a fixture by name.
pub fn load_fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Cases of a fixture with one of these names. Every name must occur.
pub fn cases<'a>(fixture: &'a Value, names: &[&str]) -> Vec<&'a Value> {
    let all = fixture["cases"].as_array().unwrap();
    let found: Vec<&Value> = all.iter().filter(|case| names.contains(&case["name"].as_str().unwrap())).collect();
    assert_eq!(found.len(), names.len());
    found
}

pub fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

pub fn rows(value: &Value) -> Vec<usize> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Returns layers as an experiment file writes them: `"relu"`, `{ "linear": 4 }`.
pub fn parse_layers(layers: &Value) -> Vec<Layer> {
    serde_json::from_value::<NetworkSpec>(json!({ "layers": layers })).unwrap().layers
}

pub fn shape_of(value: &Value) -> Vec<i64> {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Value::Array(items) = inner {
        shape.push(items.len() as i64);
        inner = &items[0];
    }
    shape
}

pub fn tensor(value: &Value) -> Tensor {
    Tensor::from_slice(&floats(value)).to_kind(Kind::Float).view(&shape_of(value)[..])
}

pub fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).contiguous().flatten(0, -1)).unwrap()
}

/// Asserts that each pair differs by at most `tolerance`, relative to the expected value if that is above 1.
#[track_caller]
pub fn assert_near(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let difference = (found - wanted).abs() / wanted.abs().max(1.0);
        assert!(difference <= tolerance, "{what}, value {index}: found {found}, wanted {wanted}");
    }
}

#[track_caller]
pub fn assert_curve(history: &Value, golden: &Value, metric: &str, epochs: usize, tolerance: f64) {
    let (found, wanted) = (floats(&history["history"][metric]), floats(&golden[metric]));
    assert_near(&found[..epochs], &wanted[..epochs], tolerance, metric);
}
