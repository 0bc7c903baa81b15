//! `doctor`: what this machine can run.

use super::json_output::{json, values_of};
use crate::support::{TestDir, assert_says, has_nvidia_driver, stdout};

#[test]
fn doctor_reports_what_this_machine_can_run() {
    let dir = TestDir::new();
    let found = json(&dir, &["doctor", "--json"]);
    assert_eq!(
        values_of(&found, "what"),
        ["runner", "libtorch", "cuda", "threads", "memory", "data", "runs", "device", "log_every"]
    );
    let finding = |what: &str| found.as_array().unwrap().iter().find(|item| item["what"] == what).unwrap();
    assert_says(finding("libtorch")["found"].as_str().unwrap(), &["2.11.0"]);
    assert_eq!(finding("cuda")["well"], false); // no GPU is visible to the tests
    assert!(finding("cuda")["remedy"].is_string());
    let text = stdout(&dir.run(&["doctor"]).code(0));
    let cuda = if has_nvidia_driver() { "✗ cuda" } else { "– cuda" }; // without a driver nothing is wrong
    assert_says(&text, &["✓ runner", "✓ libtorch", cuda, "hint: ", "✓ threads", "✓ memory", "✓ data", "✓ runs"]);
    assert!(dir.files().is_empty(), "doctor left files: {:?}", dir.files());
}

#[test]
fn doctor_reports_a_file_in_place_of_the_data_cache() {
    let dir = TestDir::new();
    dir.write("taken", "");
    let output = dir.command(&["doctor"]).env("RUNNER_DATA_DIR", dir.path("taken")).output().unwrap();
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["✗ data", "RUNNER_DATA_DIR"]);
}
