//! `reproduce`: training a run again gives identical results, and every difference is reported with its cause.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{TestDir, assert_says, idea_with, stdout};

/// Runs `reproduce --json`, which must end with this exit code.
#[track_caller]
fn reproduce(dir: &TestDir, arguments: &[&str], code: i32) -> Value {
    let all = [&["reproduce", "--json", "--quiet"], arguments].concat();
    serde_json::from_str(&stdout(&dir.run(&all).code(code))).unwrap()
}

/// Asserts that all trials of this experiment's run are reproduced exactly and that no files are left.
#[track_caller]
fn assert_reproduces(dir: &TestDir, experiment: &str, kept: &str) -> Value {
    let before = dir.files();
    let found = reproduce(dir, &[experiment], 0);
    assert_eq!(found["identical"], true, "{found}");
    for trial in found["trials"].as_array().unwrap() {
        assert_eq!(
            (&trial["identical"], &trial["weights"]["are"]),
            (&Value::from(true), &Value::from(kept)),
            "{trial}"
        );
        assert!(trial["epochs"].as_u64().unwrap() > 0, "{trial}");
    }
    assert_eq!(found["otherwise"], serde_json::json!([]));
    assert_eq!(dir.files(), before, "the new run is not kept");
    found
}

const DROPOUT: &str = r#"title = "Dropout and batch normalization"
seeds = [3, 1, 2]

[data.digits]
split = { test = 0.2, validation = 0.2 }

[network]
layers = [{ linear = 16 }, { batch_norm = {} }, "relu", { dropout = 0.5 }, { linear = 10 }]

[train]
epochs = 3
batch = 64
loss = "cross_entropy"
optimizer = "adam"

[[variants]]
name = "slow"

[[variants]]
name = "fast"
set = { "train.optimizer" = { adam = { lr = 0.01 } } }
"#;

#[test]
fn networks_with_dropout_and_variants_are_reproduced_exactly() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    assert_eq!(assert_reproduces(&dir, "idea", "identical")["trials"].as_array().unwrap().len(), 1);
    dir.write("dropout.toml", DROPOUT);
    dir.exp(&["dropout.toml", "--stack", "2"]);
    let found = assert_reproduces(&dir, "dropout", "identical");
    assert_eq!(found["trials"].as_array().unwrap().len(), 6);
}

#[test]
fn one_trial_of_a_stack_is_reproduced_exactly() {
    let dir = TestDir::new();
    dir.write("dropout.toml", DROPOUT);
    dir.exp(&["dropout.toml", "--stack", "2"]);
    let found = assert_reproduces(&dir, "runs/dropout/latest/fast-seed1.json", "identical");
    assert_eq!(found["trials"][0]["trial"], "fast-seed1");
    assert_eq!(found["trials"].as_array().unwrap().len(), 1);
}

#[test]
fn folds_and_trees_are_reproduced_exactly() {
    let dir = TestDir::new();
    let folds = "[data.digits]\nsplit = { folds = 5, stratify = true, random_state = 0 }";
    dir.write("folds.toml", idea_with("[data.digits]", folds));
    dir.exp(&["folds.toml"]);
    let found = assert_reproduces(&dir, "folds", "identical");
    assert_eq!(found["trials"].as_array().unwrap().len(), 5);
    dir.write("tree.toml", "title = \"t\"\nseeds = [0, 1]\n[data.digits]\nsplit = { test = 0.2 }\n[tree]\n");
    dir.exp(&["tree.toml"]);
    assert_reproduces(&dir, "tree", "identical");
}

#[test]
fn runs_of_earlier_versions_are_reproduced_from_their_histories() {
    let dir = TestDir::new();
    dir.write("dropout.toml", DROPOUT);
    dir.exp(&["dropout.toml", "--stack", "2"]);
    for file in ["run.json", "experiment.toml"] {
        std::fs::remove_file(dir.path(&format!("runs/dropout/latest/{file}"))).unwrap();
    }
    let found = reproduce(&dir, &["runs/dropout/latest"], 0);
    assert_eq!((&found["identical"], found["trials"].as_array().unwrap().len()), (&Value::from(true), 6), "{found}");
}

#[test]
fn other_thread_counts_are_named_if_they_change_results() {
    let dir = TestDir::new();
    let wide = idea_with("{ linear = 16 }", "{ linear = 512 }, \"relu\", { linear = 512 }");
    dir.write("wide.toml", wide.replace("epochs = 2", "epochs = 1"));
    dir.exp(&["wide.toml", "--threads", "1"]);
    assert_reproduces(&dir, "wide", "identical");
    let found = reproduce(&dir, &["wide", "--threads", "2"], 1);
    assert_eq!(found["otherwise"], serde_json::json!([{ "what": "threads", "then": "1", "now": "2" }]));
    let trial = &found["trials"][0];
    assert_eq!((&trial["first"]["epoch"], &trial["weights"]["are"]), (&Value::from(1), &Value::from("different")));
    assert!(trial["largest"]["relative"].as_f64().unwrap() < 1e-5, "not a rounding difference: {trial}");

    let message = stdout(&dir.run(&["reproduce", "wide", "--threads", "2"]).code(1));
    assert_says(&message, &["base-seed0: different from epoch 1 of 1", "may be the cause:\n  threads 1 then, 2 now"]);
}

#[test]
fn other_thread_counts_are_named_even_if_results_are_equal() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml", "--threads", "1"]);
    let message = stdout(&dir.run(&["reproduce", "idea", "--threads", "2"]).code(0));
    assert_says(
        &message,
        &[
            "base-seed0: identical (2 epochs",
            "identical, although the environment has changed",
            "threads 1 then, 2 now",
        ],
    );
}

#[test]
fn edited_metrics_are_found_with_their_epoch() {
    let dir = TestDir::with_idea();
    let run = dir.exp(&["idea.toml", "--epochs", "5", "--seeds", "0..1"]);
    let file = dir.path("runs/idea/latest/base-seed1.json");
    let loss = &run["histories"][1]["history"]["loss"];
    let edited = loss[3].as_f64().unwrap().next_up();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&loss[3].to_string()), "{text}");
    std::fs::write(&file, text.replacen(&loss[3].to_string(), &edited.to_string(), 1)).unwrap();

    let found = reproduce(&dir, &["idea"], 1);
    let (first, second) = (&found["trials"][0], &found["trials"][1]);
    assert_eq!((&first["identical"], &second["identical"]), (&Value::from(true), &Value::from(false)));
    assert_eq!((&second["first"]["epoch"], &second["first"]["metric"]), (&Value::from(4), &Value::from("loss")));
    assert_eq!((&second["first"]["then"], &second["first"]["now"]), (&Value::from(edited), &loss[3]));
    assert_eq!(second["weights"]["are"], "identical");
    assert_eq!(found["otherwise"], serde_json::json!([]));
    let message = stdout(&dir.run(&["reproduce", "idea"]).code(1));
    assert_says(
        &message,
        &[
            "base-seed0: identical",
            "base-seed1: different from epoch 4 of 5",
            "no change of the environment is recorded",
        ],
    );
}

#[test]
fn changed_data_are_named() {
    let table = |last: &str| format!("x,y\n1,0\n2,1\n3,0\n4,1\n5,0\n{last},1\n");
    let dir = TestDir::new();
    dir.write("table.csv", table("6"));
    let csv = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\ntask = \"classes\"";
    dir.write("table.toml", idea_with("[data.digits]", csv).replace("linear = 10", "linear = 2"));
    dir.exp(&["table.toml"]);
    assert_reproduces(&dir, "table", "identical");
    dir.write("table.csv", table("7"));
    let found = reproduce(&dir, &["table"], 1);
    assert_eq!(found["otherwise"].as_array().unwrap().len(), 1, "{found}");
    assert!(found["otherwise"][0]["what"].as_str().unwrap().contains("checksum of the data"), "{found}");
}

#[cfg(unix)]
#[test]
fn interrupted_runs_are_reproduced_up_to_their_last_epoch() {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("epochs = 2", "epochs = 100000\nschedule = { cosine = {} }"));
    let mut child = dir
        .command(&["exp", "idea.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr_lines.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("4/")));
    crate::support::send(&child, libc::SIGINT);
    stderr_lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let found = assert_reproduces(&dir, "idea", "identical");
    let text = std::fs::read(dir.path("runs/idea/latest/base-seed0.json")).unwrap();
    let history: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(found["trials"][0]["epochs"], history["history"]["epoch"].as_array().unwrap().len());
}

#[test]
fn missing_weights_are_reported_and_the_new_run_can_be_kept() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    std::fs::remove_file(dir.path("runs/idea/latest/base-seed0.safetensors")).unwrap();
    let found = reproduce(&dir, &["idea"], 2);
    let trial = &found["trials"][0];
    assert_eq!((&found["identical"], &trial["identical"]), (&Value::Null, &Value::Null), "{found}");
    assert_eq!((&trial["weights"]["are"], &trial["first"]), (&Value::from("missing"), &Value::Null));
    let message = stdout(&dir.run(&["reproduce", "idea", "--keep", "again"]).code(2));
    let words = ["base-seed0: metrics identical (2 epochs", "its weights were not compared", "the new run is kept in"];
    assert_says(&message.replace('\n', " ").replace("  ", " "), &words);
    dir.run(&["eval", "idea", "--out", "again", "--data", "train"]).code(0);
    assert_eq!(stdout(&dir.run(&["reproduce", "idea", "--quiet"]).code(2)), "");
}

#[test]
fn runs_that_cannot_be_reproduced_are_rejected() {
    let dir = TestDir::with_idea();
    assert_says(&dir.error_message(&["reproduce", "idea"]), &["no run `idea`", "hint: "]);
    dir.exp(&["idea.toml"]);
    assert_says(&dir.error_message(&["reproduce", "idea", "--threads", "0"]), &["--threads"]);
    let record = dir.path("runs/idea/latest/run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert_says(&dir.error_message(&["reproduce", "idea"]), &["run.json", "damaged"]);
    std::fs::write(&record, text.replace("\"device\": \"cpu\"", "\"device\": \"cuda:7\"")).unwrap();
    assert_says(&dir.error_message(&["reproduce", "idea"]), &["cuda:7", "`--device cpu`"]);
    let found = reproduce(&dir, &["idea", "--device", "cpu"], 0);
    assert_eq!(found["identical"], true);
}
