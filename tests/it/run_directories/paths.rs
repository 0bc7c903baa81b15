//! Data paths are relative to the experiment file. Every command works from any directory.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use super::table_run::{NETWORK, NEW_ROWS, TABLE, edit_json, folder, json, run_in, table_experiment};
use crate::support::{IDEA, TestDir, assert_says, stderr, stdout};

#[test]
fn paths_are_relative_to_the_experiment_file() {
    let dir = TestDir::new();
    dir.write("project/table.csv", TABLE);
    dir.write("project/t.toml", table_experiment(NETWORK));
    dir.write("table.csv", TABLE.replace("1.25", "9.25")); // a different table in the current directory
    let run = folder(&dir, &dir.exp(&["project/t.toml"]));
    let history = json(run.join("base-seed0.json"));
    let table = std::path::absolute(dir.path("project/table.csv")).unwrap();
    assert_eq!(history["config"]["data"]["csv"]["path"], table.to_str().unwrap());
    assert_eq!(history["data"]["sha256"].as_str().unwrap().len(), 64);
    let elsewhere = dir.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let run = run.to_str().unwrap();
    for arguments in [
        &["eval", run, "--strict"][..],
        &["predict", run, "--index", "0"],
        &["reproduce", run],
        &["plot", "curves", run, "-o", "curves.svg"],
        &["resume", run],
        &["exp", "../project/t.toml", "--out", "../runs", "--resume", "--device", "cpu"],
    ] {
        let message = stderr(&run_in(&dir, &elsewhere, arguments).code(0));
        assert!(!message.contains("have changed"), "{arguments:?}: {message}");
    }
}

#[test]
fn command_line_paths_are_relative_to_the_current_directory() {
    let dir = TestDir::new();
    dir.write("project/table.csv", "no table");
    dir.write("project/t.toml", table_experiment(NETWORK));
    dir.write("mine/other.csv", TABLE);
    let history = dir.history(&["project/t.toml", "--set", "data.csv.path=mine/other.csv"]);
    let path = history["config"]["data"]["csv"]["path"].as_str().unwrap();
    assert!(path.ends_with("mine/other.csv") && Path::new(path).is_absolute(), "{path}");
}

#[test]
fn files_only_in_the_current_directory_are_used_with_a_note() {
    let dir = TestDir::new();
    dir.write("experiments/t.toml", table_experiment(NETWORK));
    dir.write("table.csv", TABLE);
    let run = dir.run(&["exp", "t", "--device", "cpu"]).code(0);
    assert_says(&stderr(&run).replace("\n  ", " "), &["`data.csv.path`", "paths are relative to the experiment file"]);
    std::fs::remove_file(dir.path("table.csv")).unwrap();
    let refused = dir.error_message(&["exp", "t"]);
    assert_says(
        &refused,
        &["experiments/table.csv` does not exist", "relative paths in an experiment file start at its directory"],
    );
}

#[test]
fn runs_of_earlier_versions_find_their_table_from_any_directory() {
    let dir = TestDir::new();
    dir.write("table.csv", TABLE);
    dir.write("t.toml", table_experiment(NETWORK));
    let run = folder(&dir, &dir.exp(&["t.toml"]));
    // the format of earlier versions
    std::fs::remove_file(run.join("preprocessing.json")).unwrap();
    edit_json(&run.join("base-seed0.json"), |history| history["config"]["data"]["csv"]["path"] = "table.csv".into());
    edit_json(&run.join("run.json"), |record| {
        drop(record["source"].as_object_mut().unwrap().remove("directory").unwrap())
    });
    let elsewhere = dir.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    dir.write("elsewhere/new.csv", NEW_ROWS);
    let run = run.to_str().unwrap();
    for arguments in
        [&["eval", run, "--strict"][..], &["predict", run, "--csv", "new.csv"], &["reproduce", run], &["resume", run]]
    {
        run_in(&dir, &elsewhere, arguments).code(0);
    }
}

#[test]
fn relative_data_set_directories_keep_their_meaning() {
    let dir = TestDir::with_idea();
    let mut command = dir.command(&["data", "path", "mnist"]);
    command.env("RUNNER_DATA_DIR", "here/data");
    let printed = Command::from_std(command).assert().code(0);
    let path = PathBuf::from(stdout(&printed).trim());
    assert!(path.is_absolute() && path.ends_with("here/data/mnist"), "{}", path.display());
}

#[test]
fn relative_data_directories_are_relative_to_the_current_directory() {
    let dir = TestDir::with_idea();
    let run = folder(&dir, &dir.exp(&["idea.toml"]));
    // the tests have no network: the error about a damaged file shows where the data set was searched
    edit_json(&run.join("run.json"), |record| {
        record["source"]["text"] = IDEA.replace("digits", "mnist").into();
        record["finished"] = false.into();
        record["groups"][0]["stacks"][0]["state"] = "waiting".into();
    });
    dir.write("elsewhere/data/mnist/train-images-idx3-ubyte", "damaged");
    for command in ["reproduce", "resume"] {
        let mut command = dir.command(&[command, run.to_str().unwrap()]);
        command.current_dir(dir.path("elsewhere")).env("RUNNER_DATA_DIR", "data");
        let message = stderr(&Command::from_std(command).assert().code(2));
        assert_says(&message, &["elsewhere/data/mnist/train-images-idx3-ubyte` is damaged: it has 7 bytes"]);
        assert!(!dir.path("data").exists(), "{message}");
    }
}
