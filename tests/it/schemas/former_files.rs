//! Files that the last version wrote, with its names of keys, are read, compared, plotted and resumed.
//!
//! `last_version/` has runs, histories and an experiment file of the version with `runner.history/1`.

use std::path::{Path, PathBuf};

use runner::history::{History, SCHEMA};
use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, stderr, stdout};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemas/last_version")
}

/// Returns all files below a directory.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] });
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
}

/// Returns all histories of the last version, with their JSON.
fn histories() -> Vec<(PathBuf, Value)> {
    let json = files_in(&fixtures()).into_iter().filter(|path| path.extension().is_some_and(|end| end == "json"));
    let parsed = json.map(|path| (path.clone(), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()));
    parsed.filter(|(_, value): &(_, Value)| value["schema"] == "runner.history/1").collect()
}

/// Returns a dir with the runs and the experiment file of the last version.
fn dir() -> TestDir {
    let dir = TestDir::new();
    for file in files_in(&fixtures()) {
        let name = file.strip_prefix(fixtures()).unwrap().to_str().unwrap().to_owned();
        dir.write(&name, std::fs::read(file).unwrap());
    }
    dir
}

/// Returns the paths of all keys in a value.
fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| {
                let below = keys(value).into_iter().map(move |path| format!("{key}.{path}"));
                std::iter::once(key.clone()).chain(below).collect::<Vec<_>>()
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn histories_of_the_last_version_are_read_and_written_with_the_new_keys() {
    let histories = histories();
    assert!(histories.len() >= 7, "{histories:?}");
    for (path, old) in histories {
        let history = History::read(&path).unwrap();
        assert_eq!(history.schema, SCHEMA, "{}", path.display());
        let new: Value = serde_json::from_str(&history.to_json().unwrap()).unwrap();
        let same =
            ["experiment", "variant", "seed", "status", "environment", "history", "best", "learned", "baselines"];
        for key in same {
            assert_eq!(new[key], old[key], "{key} of {}", path.display());
        }
        assert_eq!(new["provenance"]["command"], old["asked"]["command"]);
        assert_eq!(new["provenance"]["set_by_file"], old["asked"]["stated"]);
        assert_eq!(new["diagnosis"]["label"], old["diagnosis"]["verdict"]);
        assert_eq!(new["test"]["prevalence"], old["test"]["positives"]);
        assert_eq!(new["data"]["resample"]["rows_after"], old["data"]["resample"]["to"]);
        assert_eq!(new["data"]["resample"]["leakage"], old["data"]["resample"]["leak"]);
        assert_eq!(new["references"][0]["reference"], old["theirs"][0]["theirs"]);
        assert_eq!(new["references"][0]["this_run"], old["theirs"][0]["ours"]);
        assert_eq!(new["expectations"][0]["metric"], old["expectations"][0]["value"]);
        assert_eq!(new["expectations"][0]["compared_with"], old["expectations"][0]["against"]);
        let mut written = new.clone();
        written.as_object_mut().unwrap().remove("config"); // the resolved experiment stays as it was
        let former = ["asked", "theirs", "verdict", "positives", "against", "ours", "leak"];
        let found: Vec<String> =
            keys(&written).into_iter().filter(|key| former.contains(&key.rsplit('.').next().unwrap())).collect();
        assert_eq!(found, [""; 0], "{}", path.display());
    }
}

#[test]
fn an_experiment_file_of_the_last_version_is_run_and_written_with_the_new_keys() {
    let dir = dir();
    let history = &dir.histories(&["former_keys.toml", "--epochs", "2", "--seeds", "0", "--out", "out"])[1];
    assert_eq!(history["schema"], SCHEMA);
    let metrics: Vec<&str> =
        history["references"].as_array().unwrap().iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["first.loss", "test.acc"]);
    assert_eq!(history["references"][1]["reference"], 0.9);
    assert_eq!(history["references"][1]["exact"], true);
    assert_eq!(history["expectations"].as_array().unwrap().len(), 3);
    assert_eq!(history["expectations"][2]["met"], true);
    let shown = stdout(&dir.run(&["show", "former_keys.toml"]).code(0));
    assert_says(&shown, &["[[reference]]\nmetric = \"first.loss\"\nvalue = 2.5", "[[expect]]"]);
    for former in ["theirs", "figure = ", "value = \""] {
        assert!(!shown.contains(former), "`{former}` in:\n{shown}");
    }
}

#[test]
fn runs_of_the_last_version_are_listed_compared_plotted_and_reported() {
    let dir = dir();
    let compared = stdout(&dir.run(&["compare", "resampled_tree"]).code(0));
    assert_says(&compared, &["honest", "leak", "data leakage"]);
    let sorted = |path: &str| stdout(&dir.run(&["runs", "former_keys", "--sort", path]).code(0));
    for path in ["diagnosis.gap", "diagnosis.val_loss_rise"] {
        assert_says(&sorted(path), &["interrupted", "0.7975"]);
    }
    dir.run(&["plot", "former_keys", "-o", "plots/"]).code(0);
    dir.run(&["report", "mlp_xor", "resampled_tree", "-o", "report.html"]).code(0);
    let page = std::fs::read_to_string(dir.path("report.html")).unwrap();
    assert_says(&page, &["mlp_xor", "learned.prediction.0.0"]);
    let histories = ["fold", "regression", "table"].map(|name| format!("histories/{name}.json"));
    let names: Vec<&str> = histories.iter().map(String::as_str).collect();
    dir.run(&[&["compare"][..], &names].concat()).code(0);
}

#[test]
fn an_interrupted_run_of_the_last_version_is_resumed_from_its_checkpoint() {
    let dir = dir();
    let run = "runs/former_keys/2026-11-28T183333Z-503c33";
    let read = |name: &str| History::read(&dir.path(run).join(name)).unwrap();
    let before = read("fast-seed0.json");
    let resumed = dir.run(&["resume", run]).code(0);
    assert!(!stderr(&resumed).contains("other settings"), "{}", stderr(&resumed));
    let after = read("fast-seed0.json");
    assert_eq!((before.history.len(), after.history.len()), (41, 60));
    for (name, values) in before.history.series.iter().filter(|(name, _)| *name != "seconds") {
        assert_eq!(after.history.series[name][..41], values[..], "{name}");
    }
    assert_eq!((after.theirs.len(), after.expectations.len()), (1, 3));
    assert_eq!(read("slow-seed0.json").theirs.len(), 2);
}

#[test]
fn weights_of_the_last_version_are_evaluated() {
    let dir = dir();
    let evaluated = stdout(&dir.run(&["eval", "former_keys"]).code(0));
    assert_says(&evaluated, &["acc"]);
}

#[test]
fn both_names_of_a_key_are_an_error_that_names_both() {
    let dir = TestDir::new();
    let theirs = "[[theirs]]\nvalue = \"last.loss\"\nfigure = 1\n";
    let reference = "[[reference]]\nmetric = \"last.acc\"\nvalue = 1\n";
    let cases = [
        (format!("{theirs}{reference}"), ["`reference`", "`theirs`"]),
        (
            "[[expect]]\nmetric = \"last.loss\"\nvalue = \"last.loss\"\nat_most = 9\n".to_owned(),
            ["`metric`", "`value`"],
        ),
        ("[[reference]]\nvalue = 1\nfigure = 1\nmetric = \"last.loss\"\n".to_owned(), ["`value`", "`figure`"]),
        ("[[theirs]]\nvalue = \"last.loss\"\nfigure = 1\nmetric = \"last.loss\"\n".to_owned(), ["`metric`", "`value`"]),
    ];
    for (tables, names) in cases {
        dir.write("idea.toml", format!("{IDEA}\n{tables}"));
        assert_says(&dir.error_message(&["exp", "idea.toml"]), &[&names[..], &["line "]].concat());
    }
}
