//! `--max-time`: a run stops, tests its best weights, and can be resumed.

use serde_json::{Value, json};

use super::run::{dir_with_epochs, history, latest_run};
use crate::support::{IDEA, TestDir, assert_says, curves, metric, stderr, stdout};

#[test]
fn the_time_limit_stops_a_run_that_is_tested_and_resumed() {
    let dir = dir_with_epochs(100_000);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    let expectation = "\n[[expect]]\nmetric = \"last.loss\"\nat_most = 0.0\n";
    let text = text.replace("[data.digits]", "[data.digits]\nsplit = { test = 0.2, random_state = 1 }");
    dir.write("idea.toml", format!("{text}{expectation}"));
    let stopped =
        dir.run(&["exp", "idea.toml", "--device", "cpu", "--seeds", "0..2", "--stack", "1", "--max-time", "3s"]);
    let stopped = stopped.code(0);
    let message = stderr(&stopped);
    assert_says(&message, &["time limit: stopped after epoch ", "2 of 3 trials were not started"]);
    assert_says(&stdout(&stopped), &["next:  runner resume "]);
    assert!(!message.contains("runner resume"), "the command is printed once: {message}");
    let before = history(&dir);
    assert_eq!(before["status"], "time_limit");
    assert_says(&stdout(&dir.run(&["runs"]).code(0)), &["time limit "]);
    assert_says(&stdout(&dir.run(&["runs", "--filter", "status=time_limit"]).code(0)), &["time limit "]);
    assert!(before["test"]["acc"].is_number(), "the best weights are tested");
    assert_eq!(before["expectations"].as_array().map_or(0, Vec::len), 0, "no expectation is checked");
    let stopped_at = metric(&before, "loss").len();
    assert!((1..100_000).contains(&stopped_at));
    assert!(latest_run(&dir).join("checkpoint.safetensors").is_file());

    dir.run(&["reproduce", latest_run(&dir).to_str().unwrap()]).code(0);
    let message = stderr(&dir.run(&["resume", "idea", "--max-time", "3s"]).code(0));
    assert_says(&message, &[&format!("from the checkpoint of epoch {stopped_at}"), "time limit: stopped after epoch "]);
    let after = history(&dir);
    assert!(metric(&after, "loss").len() > stopped_at);
    let quiet = dir.run(&["resume", "idea", "--max-time", "3s", "--quiet"]).code(0);
    assert_eq!((stdout(&quiet), stderr(&quiet)), (String::new(), String::new()), "no error");
    assert!(metric(&history(&dir), "loss").len() > metric(&after, "loss").len());
    assert_eq!(metric(&after, "loss")[..stopped_at], metric(&before, "loss"));
}

#[test]
fn a_run_in_training_writes_each_epoch_to_a_file_that_is_removed_at_its_end() {
    let dir = dir_with_epochs(100_000);
    dir.run(&["exp", "idea.toml", "--device", "cpu", "--seeds", "3,5", "--max-time", "3s"]).code(0);
    let text = std::fs::read_to_string(latest_run(&dir).join("live.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], json!({ "trials": ["base-seed3", "base-seed5"], "epochs": 100_000 }));
    let history = std::fs::read(latest_run(&dir).join("base-seed5.json")).unwrap();
    let history: Value = serde_json::from_slice(&history).unwrap();
    let live: Vec<f64> = lines[1..].iter().map(|line| line["metrics"]["loss"][1].as_f64().unwrap()).collect();
    assert_eq!(live, metric(&history, "loss"), "one line for each epoch");

    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    assert!(!latest_run(&dir).join("live.jsonl").exists());
}

#[test]
fn a_run_that_ends_in_time_is_not_changed_by_the_limit() {
    let (limited, free) = (TestDir::with_idea(), TestDir::with_idea());
    let limited = limited.history(&["idea.toml", "--max-time", "1h30m"]);
    let free = free.history(&["idea.toml"]);
    assert_eq!((&limited["status"], curves(&limited)), (&free["status"], curves(&free)));
    let dir = TestDir::new();
    dir.write("idea.toml", IDEA);
    let message = dir.error_message(&["exp", "idea.toml", "--max-time", "90"]);
    assert_says(&message, &["--max-time", "expected a time such as `90s`, `10m`, `2h`, `1h30m` or `1d`"]);
}
