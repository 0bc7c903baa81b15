//! Trials that cannot be evaluated: damaged, diverged, or with unknown settings.

use serde_json::Value;

use super::saved_run::{CLASSIFY, DIGITS, assert_equals_history, dir_with, dir_with_digits_run, experiment, file};
use crate::support::{assert_says, stderr, stdout};

#[test]
fn one_bad_trial_does_not_stop_the_evaluation_of_others() {
    let dir = dir_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..3"]);
    let weights = |seed: u8| file(&dir, "idea", &format!("base-seed{seed}.safetensors"));
    std::fs::remove_file(weights(0)).unwrap();
    std::fs::write(weights(1), "").unwrap();
    let run = dir.run(&["eval", "idea"]).code(2);
    let (summary, message) = (stdout(&run), stderr(&run));
    for (stem, end) in
        [("base-seed0", "failed"), ("base-seed1", "failed"), ("base-seed2", "the same"), ("base-seed3", "the same")]
    {
        assert!(summary.lines().any(|line| line.starts_with(stem) && line.ends_with(end)), "{summary}");
    }
    assert_says(&summary, &["mean of 2", "test metrics agree with the histories"]);
    assert_says(&message, &["error: failed to evaluate `base-seed0`\n", "the weights of `base-seed0` are missing"]);
    assert_says(&message, &["error: failed to evaluate `base-seed1`\n", "failed to load the weights of `base-seed1`"]);
    let json: Value = serde_json::from_str(&stdout(&dir.run(&["eval", "idea", "--json"]).code(2))).unwrap();
    assert!(json["trials"][0]["error"].as_str().unwrap().contains("are missing"), "{json}");
    assert_equals_history(&json["trials"][3]);
    assert_says(&dir.error_message(&["eval", "idea", "--data", "tset.csv"]), &["`tset.csv`"]);
    [2, 3].iter().for_each(|&seed| std::fs::remove_file(weights(seed)).unwrap());
    assert_says(&dir.error_message(&["eval", "idea"]), &["`base-seed0` are missing", "`base-seed3` are missing"]);
}

#[test]
fn a_history_of_a_missing_fold_is_rejected_by_name() {
    let dir = dir_with_digits_run();
    let path = file(&dir, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"fold\": null"));
    std::fs::write(&path, text.replace("\"fold\": null", "\"fold\": 3")).unwrap();
    for command in [&["eval", "idea"][..], &["predict", "idea", "--index", "0"]] {
        assert_says(&dir.error_message(command), &["base-seed0.json`", "there is no fold 3: the split has no folds"]);
    }
}

#[test]
fn missing_truncated_or_mismatched_weights_are_rejected() {
    let dir = dir_with_digits_run();
    let (weights, history) = (file(&dir, "idea", "base-seed0.safetensors"), file(&dir, "idea", "base-seed0.json"));
    let original = std::fs::read(&weights).unwrap();
    for bytes in [&original[..original.len() / 2], &original[..4], b"", b"no weights at all"] {
        std::fs::write(&weights, bytes).unwrap();
        let refused = dir.error_message(&["eval", "idea"]);
        assert_says(&refused, &["failed to load the weights of `base-seed0`", "base-seed0.safetensors", "damaged"]);
    }
    std::fs::remove_file(&weights).unwrap();
    for command in [&["eval", "idea"][..], &["predict", "idea", "--index", "0"]] {
        assert_says(
            &dir.error_message(command),
            &["the weights of `base-seed0` are missing", "put the file back next to its history"],
        );
    }
    assert_says(&dir.error_message(&["eval", weights.to_str().unwrap()]), &["there is no file"]);
    dir.write("wider.toml", experiment(DIGITS, "[{ linear = 17 }, \"relu\", { linear = 10 }]", CLASSIFY));
    dir.exp(&["wider.toml"]);
    std::fs::copy(file(&dir, "wider", "base-seed0.safetensors"), &weights).unwrap();
    assert_says(
        &dir.error_message(&["eval", "idea"]),
        &["`0.weight`", "[17, 64]", "[16, 64]", "belongs to another model"],
    );
    std::fs::remove_file(&history).unwrap();
    let refused = dir.error_message(&["eval", weights.to_str().unwrap()]);
    assert_says(&refused, &["has no history", "keep the weights and the history together"]);
    assert_says(&dir.error_message(&["eval", "idea"]), &["the history of trial `base-seed0` is missing"]);
}

#[test]
fn a_diverged_trial_is_rejected_alone_and_marked_among_others() {
    let text = experiment(
        "[data.diabetes]\nsplit = { test = 0.2 }",
        "[{ linear = 1 }]",
        "epochs = 5\nloss = \"mse\"\nkeep = \"last\"",
    )
    .replace("optimizer = \"adam\"", "optimizer = { sgd = { lr = 1e-7 } }")
        + "[[variants]]\nname = \"sound\"\n[[variants]]\nname = \"wild\"\nset = { \"train.optimizer.sgd.lr\" = 1e6 }\n";
    let dir = dir_with(&text, &[]);
    let summary = stdout(&dir.run(&["eval", "idea"]).code(0));
    assert!(summary.lines().any(|line| line.starts_with("wild-seed0") && line.ends_with("diverged")), "{summary}");
    assert!(summary.lines().any(|line| line.starts_with("sound-seed0") && line.ends_with("the same")), "{summary}");
    let wild = file(&dir, "idea", "wild-seed0.json");
    assert_says(
        &dir.error_message(&["eval", wild.to_str().unwrap()]),
        &["trial `wild-seed0` diverged", "smaller learning rate"],
    );
    assert_says(
        &dir.error_message(&["predict", "idea", "--trial", "wild-seed0", "--index", "0"]),
        &["trial `wild-seed0` diverged", "`--trial sound-seed0`"],
    );
}

#[test]
fn predict_uses_no_trial_that_diverged() {
    let text = experiment("[data.diabetes]\nsplit = { test = 0.2 }", "[{ linear = 1 }]", "epochs = 5\nloss = \"mse\"")
        .replace("optimizer = \"adam\"", "optimizer = { sgd = { lr = 1e6 } }")
        + "[[variants]]\nname = \"wild\"\n[[variants]]\nname = \"sound\"\nset = { \"train.optimizer.sgd.lr\" = 1e-7 }\n";
    let dir = dir_with(&text, &[]);
    let summary = stdout(&dir.run(&["predict", "idea", "--index", "0"]).code(0));
    assert_says(&summary, &["idea, trial sound-seed0\n", "the best of 2 trials by loss, "]);
    std::fs::remove_file(file(&dir, "idea", "sound-seed0.json")).unwrap();
    assert_says(&dir.error_message(&["predict", "idea", "--index", "0"]), &["trial `wild-seed0` diverged"]);
}

#[test]
fn unknown_settings_of_other_versions_are_reported() {
    let dir = dir_with_digits_run();
    let path = file(&dir, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"shuffle\": true"));
    std::fs::write(&path, text.replace("\"shuffle\": true", "\"shuffle\": true, \"shake\": 1")).unwrap();
    assert_says(&dir.error_message(&["eval", "idea"]), &["failed to rebuild the network of `base-seed0`", "`shake`"]);
    assert!(text.contains("\"relu\""));
    let at = text.rfind("\"relu\"").unwrap(); // in the settings, which follow the table of layers
    std::fs::write(&path, format!("{}\"zzzzzz\"{}", &text[..at], &text[at + 6..])).unwrap();
    let refused = dir.error_message(&["eval", "idea"]);
    assert_says(&refused, &["unknown layer `zzzzzz`", "`batch_norm`"]);
    assert_eq!(refused.matches("`batch_norm`").count(), 1, "{refused}");
}
