//! Missing trials, metrics and trees in a run directory, and large histories.

use serde_json::Value;

use super::table_run::{edit_json, folder};
use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

#[test]
fn missing_trials_are_reported() {
    let dir = TestDir::new();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.batch\" = 32 }\n";
    let text = idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }");
    dir.write("idea.toml", format!("{text}{variants}"));
    let run = folder(&dir, &dir.exp(&["idea.toml", "--seeds", "0..1"]));
    for arguments in [&["eval", "idea", "--strict"][..], &["reproduce", "idea"], &["runs"], &["compare", "idea"]] {
        dir.run(arguments).code(0);
    }
    std::fs::remove_file(run.join("a-seed0.json")).unwrap();
    for arguments in [&["eval", "idea", "--strict"][..], &["reproduce", "idea"], &["runs"], &["compare", "idea"]] {
        let message = stderr(&dir.run(arguments).code(2));
        assert_says(&message, &["the history of trial `a-seed0` is missing", "`runner resume "]);
    }
    let listed = stdout(&dir.run(&["runs"]).code(2));
    assert_says(&listed, &["3 of 4", "incomplete"]);
    let runs: Value = serde_json::from_str(&stdout(&dir.run(&["runs", "--json"]).code(2))).unwrap();
    assert_eq!((&runs[0]["trials"], &runs[0]["missing"]), (&3.into(), &1.into()));
    std::fs::remove_file(run.join("b-seed0.json")).unwrap();
    assert_says(&stdout(&dir.run(&["runs"]).code(2)), &["2 of 4"]);
}

#[test]
fn strict_fails_if_a_history_lacks_metrics() {
    let dir = TestDir::new();
    let split = "[data.digits]\nsplit = { test = 0.2, validation = 0.2 }";
    dir.write("idea.toml", idea_with("[data.digits]", split));
    let run = folder(&dir, &dir.exp(&["idea.toml", "--seeds", "0..1"]));
    dir.run(&["eval", "idea", "--strict"]).code(0);
    dir.run(&["eval", "idea", "--strict", "--data", "validation"]).code(0);
    let file = run.join("base-seed1.json");
    let original = std::fs::read_to_string(&file).unwrap();
    let strict = |words: &[&str]| {
        assert_says(&stderr(&dir.run(&["eval", "idea", "--strict"]).code(1)), words);
        dir.run(&["eval", "idea"]).code(0);
        let single = dir.run(&["eval", file.to_str().unwrap(), "--strict"]).code(1);
        assert!(!stdout(&single).contains("\ntest metrics agree with the history"), "{}", stdout(&single));
    };
    edit_json(&file, |history| history["test"] = Value::Null);
    strict(&["`base-seed1`", "no metrics to compare with"]);
    std::fs::write(&file, &original).unwrap();
    edit_json(&file, |history| {
        history["test"].as_object_mut().unwrap().retain(|key, _| !["acc", "mcc", "confusion"].contains(&key.as_str()));
    });
    strict(&["`base-seed1`", "not in the history: acc, mcc, confusion"]);
    let json: Value = serde_json::from_str(&stdout(&dir.run(&["eval", "idea", "--json"]).code(0))).unwrap();
    assert_eq!((&json["trials"][0]["same"], &json["trials"][1]["same"]), (&true.into(), &Value::Null));
    std::fs::write(&file, &original).unwrap();
    edit_json(&file, |history| {
        history["test"]["made_of"] = 0.5.into();
    });
    strict(&["`base-seed1`", "only in the history: made_of"]);
    std::fs::write(&file, &original).unwrap();
    edit_json(&file, |history| drop(history["history"].as_object_mut().unwrap().remove("val_acc")));
    let missed = dir.run(&["eval", "idea", "--strict", "--data", "validation"]).code(1);
    assert_says(&stderr(&missed), &["`base-seed1`", "not in the history: acc"]);
}

#[test]
fn missing_trees_are_not_reproduced() {
    let dir = TestDir::new();
    dir.write("t.toml", "title = \"Tree\"\n[data.digits]\nsplit = { test = 0.3 }\n[tree]\nmax_depth = 3\n");
    let run = folder(&dir, &dir.exp(&["t.toml"]));
    dir.run(&["reproduce", "t"]).code(0);
    std::fs::remove_file(run.join("base-seed0.tree.json")).unwrap();
    let again = dir.run(&["reproduce", "t"]).code(2);
    assert_says(&stdout(&again).replace("\n  ", " "), &["metrics identical", "its tree was not compared"]);
}

#[test]
fn large_histories_are_read() {
    let dir = TestDir::with_idea();
    let run = folder(&dir, &dir.exp(&["idea.toml"]));
    let file = run.join("base-seed0.json");
    let mut text = std::fs::read(&file).unwrap();
    text.resize((128 << 20) + 4096, b' '); // spaces after the JSON value
    std::fs::write(&file, text).unwrap();
    for arguments in [&["export", "idea", "--keras"][..], &["runs"], &["compare", "idea", file.to_str().unwrap()]] {
        let message = stderr(&dir.run(arguments));
        assert!(
            !message.contains("are allowed for this kind of file") && !message.contains("error: failed to read"),
            "{message}"
        );
    }
}
