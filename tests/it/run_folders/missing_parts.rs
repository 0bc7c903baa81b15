//! Trials, metrics and trees that are missing in a run's folder, and large histories.

use serde_json::Value;

use super::table_run::{change, folder};
use crate::support::{Place, assert_says, idea_with, stderr, stdout};

#[test]
fn trials_that_are_gone_are_missed() {
    let place = Place::new();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.batch\" = 32 }\n";
    let text = idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }");
    place.write("idea.toml", format!("{text}{variants}"));
    let run = folder(&place, &place.exp(&["idea.toml", "--seeds", "0..1"]));
    for arguments in [&["eval", "idea", "--strict"][..], &["reproduce", "idea"], &["runs"], &["compare", "idea"]] {
        place.run(arguments).code(0);
    }
    std::fs::remove_file(run.join("a-seed0.json")).unwrap();
    for arguments in [&["eval", "idea", "--strict"][..], &["reproduce", "idea"], &["runs"], &["compare", "idea"]] {
        let said = stderr(&place.run(arguments).code(2));
        assert_says(&said, &["the history of trial `a-seed0` is missing", "`runner resume "]);
    }
    let listed = stdout(&place.run(&["runs"]).code(2));
    assert_says(&listed, &["3 of 4", "incomplete"]);
    let runs: Value = serde_json::from_str(&stdout(&place.run(&["runs", "--json"]).code(2))).unwrap();
    assert_eq!((&runs[0]["trials"], &runs[0]["missing"]), (&3.into(), &1.into()));
    std::fs::remove_file(run.join("b-seed0.json")).unwrap();
    assert_says(&stdout(&place.run(&["runs"]).code(2)), &["2 of 4"]);
}

#[test]
fn strict_counts_metrics_that_a_history_lacks() {
    let place = Place::new();
    let split = "[data.digits]\nsplit = { test = 0.2, validation = 0.2 }";
    place.write("idea.toml", idea_with("[data.digits]", split));
    let run = folder(&place, &place.exp(&["idea.toml", "--seeds", "0..1"]));
    place.run(&["eval", "idea", "--strict"]).code(0);
    place.run(&["eval", "idea", "--strict", "--data", "validation"]).code(0);
    let file = run.join("base-seed1.json");
    let whole = std::fs::read_to_string(&file).unwrap();
    let strict = |words: &[&str]| {
        assert_says(&stderr(&place.run(&["eval", "idea", "--strict"]).code(1)), words);
        place.run(&["eval", "idea"]).code(0);
        let lone = place.run(&["eval", file.to_str().unwrap(), "--strict"]).code(1);
        assert!(!stdout(&lone).contains("metrics equal to the history"), "{}", stdout(&lone));
    };
    change(&file, |history| history["test"] = Value::Null);
    strict(&["`base-seed1`", "nothing to compare with"]);
    std::fs::write(&file, &whole).unwrap();
    change(&file, |history| {
        history["test"].as_object_mut().unwrap().retain(|key, _| !["acc", "mcc", "confusion"].contains(&key.as_str()));
    });
    strict(&["`base-seed1`", "not in the history: acc, mcc, confusion"]);
    let json: Value = serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--json"]).code(0))).unwrap();
    assert_eq!((&json["trials"][0]["same"], &json["trials"][1]["same"]), (&true.into(), &Value::Null));
    std::fs::write(&file, &whole).unwrap();
    change(&file, |history| {
        history["test"]["made_of"] = 0.5.into();
    });
    strict(&["`base-seed1`", "only in the history: made_of"]);
    std::fs::write(&file, &whole).unwrap();
    change(&file, |history| drop(history["history"].as_object_mut().unwrap().remove("val_acc")));
    let missed = place.run(&["eval", "idea", "--strict", "--data", "validation"]).code(1);
    assert_says(&stderr(&missed), &["`base-seed1`", "not in the history: acc"]);
}

#[test]
fn a_tree_that_is_gone_is_not_reproduced() {
    let place = Place::new();
    place.write("t.toml", "title = \"Tree\"\n[data.digits]\nsplit = { test = 0.3 }\n[tree]\nmax_depth = 3\n");
    let run = folder(&place, &place.exp(&["t.toml"]));
    place.run(&["reproduce", "t"]).code(0);
    std::fs::remove_file(run.join("base-seed0.tree.json")).unwrap();
    let again = place.run(&["reproduce", "t"]).code(2);
    assert_says(&stdout(&again).replace("\n  ", " "), &["metrics identical", "its tree was not compared"]);
}

#[test]
fn a_history_that_is_larger_than_other_json_may_be_is_read() {
    let place = Place::with_idea();
    let run = folder(&place, &place.exp(&["idea.toml"]));
    let file = run.join("base-seed0.json");
    let mut text = std::fs::read(&file).unwrap();
    text.resize((128 << 20) + 4096, b' '); // blanks behind the value
    std::fs::write(&file, text).unwrap();
    for arguments in [&["export", "idea", "--keras"][..], &["runs"], &["compare", "idea", file.to_str().unwrap()]] {
        let said = stderr(&place.run(arguments));
        assert!(!said.contains("are read of such a file") && !said.contains("error: failed to read"), "{said}");
    }
}
