//! `[network] from`: training starts from the weights of another run.

use serde_json::Value;

use crate::support::{TestDir, assert_says, curves, idea_with, metric, stderr, stdout};

fn with_from(from: &str) -> String {
    idea_with("[network]", &format!("[network]\nfrom = {from}"))
}

/// A directory with a run `idea` of two seeds, and the experiment `next.toml` that starts from its weights.
fn dir_with_source(from: &str) -> TestDir {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml", "--seeds", "0,1", "--epochs", "5"]);
    dir.write("next.toml", with_from(from));
    dir
}

fn best_value(history: &Value) -> f64 {
    let best = &history["best"];
    best[best["monitor"].as_str().unwrap()].as_f64().unwrap()
}

#[test]
fn training_starts_from_the_best_trial_of_a_run() {
    let dir = dir_with_source("\"idea\"");
    let history = dir.history(&["next.toml"]);
    let read = |seed: usize| -> Value {
        serde_json::from_slice(&std::fs::read(dir.path(&format!("runs/idea/latest/base-seed{seed}.json"))).unwrap())
            .unwrap()
    };
    let sources = [read(0), read(1)];
    let best = usize::from(best_value(&sources[1]) < best_value(&sources[0]));
    let from = &history["config"]["network"]["from"];
    assert!(from["file"].as_str().unwrap().ends_with(&format!("base-seed{best}.safetensors")), "{from}");
    assert_eq!(from["sha256"].as_str().unwrap().len(), 64);
    assert!(
        metric(&history, "loss")[0] < metric(&sources[best], "loss")[0] / 2.0,
        "training continues where the run ended"
    );
    dir.run(&["reproduce", "next"]).code(0);

    // the same file by its path, and as a variant
    let path = from["file"].as_str().unwrap();
    for named in [format!("{path:?}"), "\"idea/base\"".to_owned()] {
        dir.write("next.toml", with_from(&named));
        assert_eq!(curves(&dir.history(&["next.toml"])), curves(&history));
    }
    assert_eq!(curves(&dir.history(&["idea.toml", "--set", "network.from=idea/base"])), curves(&history));
}

#[test]
fn the_weights_are_shown_before_and_after_training() {
    let dir = dir_with_source("{ run = \"idea\", except = [2] }");
    let words = ["weights from idea except layer 2"];
    assert_says(&stdout(&dir.run(&["exp", "next.toml", "--dry-run"]).code(0)), &words);
    assert_says(&stderr(&dir.run(&["exp", "next.toml"]).code(0)), &words);
    let shown =
        stdout(&dir.run(&["show", "runs/next/latest"]).code(0)).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&shown, &words);
    let (_, trial) = shown.split_once("except layer 2 (run ").expect("the run and the trial");
    let (run, trial) = trial.split_once(", ").unwrap();
    assert!(trial.starts_with("base-seed"), "{trial}");
    assert_says(&stdout(&dir.run(&["show", run]).code(0)), &["runs/idea/"]);
}

#[test]
fn layers_that_differ_are_all_named_and_can_be_left_out() {
    let dir = dir_with_source("\"idea\"");
    dir.write(
        "next.toml",
        with_from("\"idea\"").replace("{ linear = 16 }, \"relu\"", "{ linear = 12 }, \"batch_norm\""),
    );
    let message = dir.error_message(&["exp", "next.toml"]);
    let lines = [
        "`0.weight` is [12, 64] in the network and [16, 64] in the file",
        "`1.running_mean` is [12] in the network and missing in the file",
        "`2.weight` is [10, 12] in the network and [10, 16] in the file",
        "hint: leave these layers out: `from = { run = \"idea\", except = [0, 1, 2] }`",
    ];
    assert_says(&message, &lines);
    let deeper = "\"relu\", { linear = 10 }, \"relu\", { linear = 10 }]";
    let text = with_from("{ run = \"idea\", except = [2, 4] }").replace("\"relu\", { linear = 10 }]", deeper);
    dir.write("next.toml", text);
    let history = dir.history(&["next.toml"]);
    assert_eq!(history["config"]["network"]["from"]["except"], serde_json::json!([2, 4]));
}

#[test]
fn weights_that_have_changed_are_refused() {
    let dir = dir_with_source("\"idea/base\"");
    let history = dir.history(&["next.toml"]);
    let file = history["config"]["network"]["from"]["file"].as_str().unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(file, bytes).unwrap();
    let message = dir.error_message(&["reproduce", "next"]);
    assert_says(&message, &["has changed: the SHA-256 of these weights was", "hint: restore the file"]);
}

#[test]
fn runs_and_files_that_do_not_exist_are_reported() {
    let dir = dir_with_source("\"idee\"");
    assert_says(
        &dir.error_message(&["exp", "next.toml"]),
        &["`network.from`", "no run `idee`", "did you mean `idea`?"],
    );
    dir.write("next.toml", with_from("\"idea/bas\""));
    assert_says(&dir.error_message(&["exp", "next.toml"]), &["no variant `bas`", "did you mean `base`?"]);
    dir.write("next.toml", with_from("{ run = \"idea\", expect = [2] }"));
    assert_says(&dir.error_message(&["exp", "next.toml"]), &["except = [4]"]);
    dir.write("next.toml", with_from("{ run = \"idea\", except = [3] }"));
    assert_says(
        &dir.error_message(&["exp", "next.toml"]),
        &["`network.from.except` names layer 3; the network has layers 0 to 2"],
    );
}
