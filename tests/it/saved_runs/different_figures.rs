//! Figures that differ from the history or are missing in it, and `--strict`.

use serde_json::{Value, json};

use super::saved_run::{CLASSIFY, DIGITS, evaluated, experiment, file, place_with, place_with_digits};
use crate::support::{assert_says, stdout};

#[test]
fn a_history_without_a_report_still_reads() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for later in ["report", "mcc", "balanced_acc"] {
        assert!(history["test"].as_object_mut().unwrap().remove(later).is_some(), "{later}");
    }
    std::fs::write(&path, history.to_string()).unwrap();
    assert_says(&stdout(&place.run(&["eval", "idea", "--strict"]).code(0)), &["test metrics equal to the history"]);
}

#[test]
fn weights_of_another_trial_are_seen_by_their_figures() {
    let place = place_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..1"]);
    let weights = |seed: u8| file(&place, "idea", &format!("base-seed{seed}.safetensors"));
    std::fs::copy(weights(1), weights(0)).unwrap();
    let trials = evaluated(&place, &["idea"]);
    assert_eq!((&trials[0]["same"], &trials[1]["same"]), (&json!(false), &json!(true)));
    let told = stdout(&place.run(&["eval", "idea"]).code(0));
    assert_says(&told, &["differs", "the same", "test metrics differ from the histories in base-seed0"]);
    let lone = stdout(&place.run(&["eval", weights(0).to_str().unwrap()]).code(0));
    assert_says(&lone, &["test metrics differ from the history: loss by"]);
    assert!(!lone.contains("were taken on"), "{lone}");
    let history = file(&place, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&history).unwrap();
    std::fs::write(&history, text.replace("\"device\": \"cpu\"", "\"device\": \"cuda:0\"")).unwrap();
    let lone = stdout(&place.run(&["eval", weights(0).to_str().unwrap(), "--device", "cpu"]).code(0));
    assert_says(&lone.replace('\n', " "), &["these were taken on cpu, and", "on cuda:0)"]);
}

#[test]
fn strict_exits_with_1_when_figures_differ_from_the_history() {
    let place = place_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..2"]);
    let weights = |seed: u8| file(&place, "idea", &format!("base-seed{seed}.safetensors"));
    place.run(&["eval", "idea", "--strict"]).code(0);
    std::fs::copy(weights(1), weights(0)).unwrap();
    place.run(&["eval", "idea"]).code(0);
    for arguments in [&["--strict"][..], &["--strict", "--json"], &["--strict", "--data", "validation"]] {
        place.run(&[&["eval", "idea"], arguments].concat()).code(1);
    }
    place.run(&["eval", weights(1).to_str().unwrap(), "--strict"]).code(0);
    std::fs::remove_file(weights(2)).unwrap();
    place.run(&["eval", "idea", "--strict"]).code(2);
    for rows in ["train", "more.csv"] {
        let refused = place.refusal(&["eval", "idea", "--strict", "--data", rows]);
        assert_says(&refused, &["`--strict` has nothing to compare with", "test and validation rows"]);
    }
}

#[test]
fn a_history_without_test_figures_is_told_and_only_an_interruption_is_a_reason() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    history["test"] = Value::Null;
    for (status, words) in [
        ("early_stopped", "the history has no metrics of test rows\n"),
        ("interrupted", "the history has no metrics of test rows: the trial was interrupted\n"),
    ] {
        history["status"] = json!(status);
        std::fs::write(&path, history.to_string()).unwrap();
        assert_says(&stdout(&place.run(&["eval", "idea"]).code(0)), &[words]);
    }
}
