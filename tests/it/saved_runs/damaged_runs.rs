//! Trials that cannot be evaluated: damaged, diverged, or with settings that are not known.

use serde_json::Value;

use super::saved_run::{CLASSIFY, DIGITS, assert_as_in_the_history, experiment, file, place_with, place_with_digits};
use crate::support::{assert_says, stderr, stdout};

#[test]
fn a_trial_that_cannot_be_evaluated_keeps_no_other_from_it() {
    let place = place_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..3"]);
    let weights = |seed: u8| file(&place, "idea", &format!("base-seed{seed}.safetensors"));
    std::fs::remove_file(weights(0)).unwrap();
    std::fs::write(weights(1), "").unwrap();
    let run = place.run(&["eval", "idea"]).code(2);
    let (told, said) = (stdout(&run), stderr(&run));
    for (stem, end) in
        [("base-seed0", "failed"), ("base-seed1", "failed"), ("base-seed2", "the same"), ("base-seed3", "the same")]
    {
        assert!(told.lines().any(|line| line.starts_with(stem) && line.ends_with(end)), "{told}");
    }
    assert_says(&told, &["mean of 2", "test metrics equal to the histories"]);
    assert_says(&said, &["error: failed to evaluate `base-seed0`\n", "the weights of `base-seed0` are missing"]);
    assert_says(&said, &["error: failed to evaluate `base-seed1`\n", "failed to load the weights of `base-seed1`"]);
    let json: Value = serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--json"]).code(2))).unwrap();
    assert!(json["trials"][0]["error"].as_str().unwrap().contains("are missing"), "{json}");
    assert_as_in_the_history(&json["trials"][3]);
    assert_says(&place.refusal(&["eval", "idea", "--data", "tset.csv"]), &["`tset.csv`"]);
    [2, 3].iter().for_each(|&seed| std::fs::remove_file(weights(seed)).unwrap());
    assert_says(&place.refusal(&["eval", "idea"]), &["`base-seed0` are missing", "`base-seed3` are missing"]);
}

#[test]
fn a_history_of_a_fold_that_is_not_made_is_refused_by_its_name() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"fold\": null"));
    std::fs::write(&path, text.replace("\"fold\": null", "\"fold\": 3")).unwrap();
    for command in [&["eval", "idea"][..], &["predict", "idea", "--index", "0"]] {
        assert_says(&place.refusal(command), &["base-seed0.json`", "there is no fold 3: the split has no folds"]);
    }
}

#[test]
fn weights_that_are_missing_cut_short_or_of_another_network_are_refused() {
    let place = place_with_digits();
    let (weights, history) = (file(&place, "idea", "base-seed0.safetensors"), file(&place, "idea", "base-seed0.json"));
    let whole = std::fs::read(&weights).unwrap();
    for bytes in [&whole[..whole.len() / 2], &whole[..4], b"", b"no weights at all"] {
        std::fs::write(&weights, bytes).unwrap();
        let refused = place.refusal(&["eval", "idea"]);
        assert_says(&refused, &["failed to load the weights of `base-seed0`", "base-seed0.safetensors", "damaged"]);
    }
    std::fs::remove_file(&weights).unwrap();
    for command in [&["eval", "idea"][..], &["predict", "idea", "--index", "0"]] {
        assert_says(
            &place.refusal(command),
            &["the weights of `base-seed0` are missing", "keep it in the directory of its history"],
        );
    }
    assert_says(&place.refusal(&["eval", weights.to_str().unwrap()]), &["there is no file"]);
    place.write("wider.toml", experiment(DIGITS, "[{ linear = 17 }, \"relu\", { linear = 10 }]", CLASSIFY));
    place.exp(&["wider.toml"]);
    std::fs::copy(file(&place, "wider", "base-seed0.safetensors"), &weights).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["`0.weight`", "[17, 64]", "[16, 64]", "another network"]);
    std::fs::remove_file(&history).unwrap();
    let refused = place.refusal(&["eval", weights.to_str().unwrap()]);
    assert_says(&refused, &["has no history beside it", "keep both files together"]);
    assert_says(&place.refusal(&["eval", "idea"]), &["the history of trial `base-seed0` is missing"]);
}

#[test]
fn a_diverged_trial_is_refused_alone_and_marked_among_others() {
    let text = experiment(
        "[data.diabetes]\nsplit = { test = 0.2 }",
        "[{ linear = 1 }]",
        "epochs = 5\nloss = \"mse\"\nkeep = \"last\"",
    )
    .replace("optimizer = \"adam\"", "optimizer = { sgd = { lr = 1e-7 } }")
        + "[[variants]]\nname = \"sound\"\n[[variants]]\nname = \"wild\"\nset = { \"train.optimizer.sgd.lr\" = 1e6 }\n";
    let place = place_with(&text, &[]);
    let told = stdout(&place.run(&["eval", "idea"]).code(0));
    assert!(told.lines().any(|line| line.starts_with("wild-seed0") && line.ends_with("diverged")), "{told}");
    assert!(told.lines().any(|line| line.starts_with("sound-seed0") && line.ends_with("the same")), "{told}");
    let wild = file(&place, "idea", "wild-seed0.json");
    assert_says(
        &place.refusal(&["eval", wild.to_str().unwrap()]),
        &["trial `wild-seed0` diverged", "smaller learning rate"],
    );
    assert_says(
        &place.refusal(&["predict", "idea", "--trial", "wild-seed0", "--index", "0"]),
        &["trial `wild-seed0` diverged", "`--trial sound-seed0`"],
    );
}

#[test]
fn the_first_trial_that_did_not_diverge_predicts() {
    let text = experiment("[data.diabetes]\nsplit = { test = 0.2 }", "[{ linear = 1 }]", "epochs = 5\nloss = \"mse\"")
        .replace("optimizer = \"adam\"", "optimizer = { sgd = { lr = 1e6 } }")
        + "[[variants]]\nname = \"wild\"\n[[variants]]\nname = \"sound\"\nset = { \"train.optimizer.sgd.lr\" = 1e-7 }\n";
    let place = place_with(&text, &[]);
    let told = stdout(&place.run(&["predict", "idea", "--index", "0"]).code(0));
    let first = "the first that did not diverge, of 2 trials: `--trial NAME` takes another";
    assert_says(&told, &["idea, trial sound-seed0\n", first]);
    std::fs::remove_file(file(&place, "idea", "sound-seed0.json")).unwrap();
    assert_says(&place.refusal(&["predict", "idea", "--index", "0"]), &["trial `wild-seed0` diverged"]);
}

#[test]
fn settings_that_this_version_does_not_know_are_told() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"shuffle\": true"));
    std::fs::write(&path, text.replace("\"shuffle\": true", "\"shuffle\": true, \"shake\": 1")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["failed to rebuild the network of `base-seed0`", "`shake`"]);
    assert!(text.contains("\"relu\""));
    let at = text.rfind("\"relu\"").unwrap(); // in the settings, which come after the layers' table
    std::fs::write(&path, format!("{}\"zzzzzz\"{}", &text[..at], &text[at + 6..])).unwrap();
    let refused = place.refusal(&["eval", "idea"]);
    assert_says(&refused, &["unknown layer `zzzzzz`", "`batch_norm`"]);
    assert_eq!(refused.matches("`batch_norm`").count(), 1, "{refused}");
}
