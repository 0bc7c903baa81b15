//! `doctor`: what this machine can run.

use super::printed::{all, json};
use crate::support::{Place, assert_says, stdout};

#[test]
fn doctor_tells_what_this_machine_can_run() {
    let place = Place::new();
    let found = json(&place, &["doctor", "--json"]);
    assert_eq!(all(&found, "what"), ["runner", "libtorch", "cuda", "threads", "memory", "data", "runs"]);
    let finding = |what: &str| found.as_array().unwrap().iter().find(|item| item["what"] == what).unwrap();
    assert_says(finding("libtorch")["found"].as_str().unwrap(), &["2.11.0"]);
    assert_eq!(finding("cuda")["well"], false); // no GPU is visible to the tests
    assert!(finding("cuda")["remedy"].is_string());
    let text = stdout(&place.run(&["doctor"]).code(0));
    assert_says(&text, &["✓ runner", "✓ libtorch", "✗ cuda", "hint: ", "✓ threads", "✓ memory", "✓ data", "✓ runs"]);
    assert!(place.files().is_empty(), "doctor leaves {:?}", place.files());
}

#[test]
fn doctor_finds_a_file_where_the_data_cache_should_be() {
    let place = Place::new();
    place.write("taken", "");
    let output = place.command(&["doctor"]).env("RUNNER_DATA_DIR", place.path("taken")).output().unwrap();
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["✗ data", "RUNNER_DATA_DIR"]);
}
