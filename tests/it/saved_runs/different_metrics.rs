//! Metrics that differ from the history or are missing in it, and `--strict`.

use serde_json::{Value, json};

use super::saved_run::{CLASSIFY, DIGITS, dir_with, dir_with_digits_run, evaluations, experiment, file};
use crate::support::{assert_says, stdout};

#[test]
fn histories_without_a_report_are_read() {
    let dir = dir_with_digits_run();
    let path = file(&dir, "idea", "base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for later in ["report", "mcc", "balanced_acc"] {
        assert!(history["test"].as_object_mut().unwrap().remove(later).is_some(), "{later}");
    }
    std::fs::write(&path, history.to_string()).unwrap();
    assert_says(&stdout(&dir.run(&["eval", "idea", "--strict"]).code(0)), &["test metrics agree with the history"]);
}

#[test]
fn weights_of_another_trial_are_detected_by_their_metrics() {
    let dir = dir_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..1"]);
    let weights = |seed: u8| file(&dir, "idea", &format!("base-seed{seed}.safetensors"));
    std::fs::copy(weights(1), weights(0)).unwrap();
    let trials = evaluations(&dir, &["idea"]);
    assert_eq!((&trials[0]["same"], &trials[1]["same"]), (&json!(false), &json!(true)));
    let message = stdout(&dir.run(&["eval", "idea"]).code(0));
    assert_says(&message, &["differs", "the same", "test metrics differ from the histories in base-seed0"]);
    let single = stdout(&dir.run(&["eval", weights(0).to_str().unwrap()]).code(0));
    assert_says(&single, &["test metrics differ from the history: loss by"]);
    assert!(!single.contains("evaluated on"), "{single}");
    let history = file(&dir, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&history).unwrap();
    std::fs::write(&history, text.replace("\"device\": \"cpu\"", "\"device\": \"cuda:0\"")).unwrap();
    let single = stdout(&dir.run(&["eval", weights(0).to_str().unwrap(), "--device", "cpu"]).code(0));
    assert_says(&single.replace('\n', " "), &["(evaluated on cpu, trained on", "on cuda:0)"]);
}

#[test]
fn strict_exits_with_1_if_metrics_differ_from_the_history() {
    let dir = dir_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..2"]);
    let weights = |seed: u8| file(&dir, "idea", &format!("base-seed{seed}.safetensors"));
    dir.run(&["eval", "idea", "--strict"]).code(0);
    std::fs::copy(weights(1), weights(0)).unwrap();
    dir.run(&["eval", "idea"]).code(0);
    for arguments in [&["--strict"][..], &["--strict", "--json"], &["--strict", "--data", "validation"]] {
        dir.run(&[&["eval", "idea"], arguments].concat()).code(1);
    }
    dir.run(&["eval", weights(1).to_str().unwrap(), "--strict"]).code(0);
    std::fs::remove_file(weights(2)).unwrap();
    dir.run(&["eval", "idea", "--strict"]).code(2);
    for rows in ["train", "more.csv"] {
        let refused = dir.error_message(&["eval", "idea", "--strict", "--data", rows]);
        assert_says(&refused, &["`--strict` has nothing to compare with", "evaluate `test` or `validation`"]);
    }
}

#[test]
fn missing_test_metrics_are_reported_unless_the_run_was_interrupted() {
    let dir = dir_with_digits_run();
    let path = file(&dir, "idea", "base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    history["test"] = Value::Null;
    for (status, words) in [
        ("early_stopped", "the history has no metrics of test rows\n"),
        ("interrupted", "the history has no metrics of test rows: the trial was interrupted\n"),
    ] {
        history["status"] = json!(status);
        std::fs::write(&path, history.to_string()).unwrap();
        assert_says(&stdout(&dir.run(&["eval", "idea"]).code(0)), &[words]);
    }
}
