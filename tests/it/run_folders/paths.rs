//! Paths of data are relative to the experiment file, and every command works from any folder.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use super::table_run::{NETWORK, NEW_ROWS, TABLE, change, folder, json, on_table, run_in};
use crate::support::{IDEA, Place, assert_says, stderr, stdout};

#[test]
fn paths_are_relative_to_the_experiment_file_and_every_command_works_from_any_folder() {
    let place = Place::new();
    place.write("project/table.csv", TABLE);
    place.write("project/t.toml", on_table(NETWORK));
    place.write("table.csv", TABLE.replace("1.25", "9.25")); // another one, in the folder that the program runs in
    let run = folder(&place, &place.exp(&["project/t.toml"]));
    let history = json(run.join("base-seed0.json"));
    let table = std::path::absolute(place.path("project/table.csv")).unwrap();
    assert_eq!(history["config"]["data"]["csv"]["path"], table.to_str().unwrap());
    assert_eq!(history["data"]["sha256"].as_str().unwrap().len(), 64);
    let elsewhere = place.path("elsewhere");
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
        let said = stderr(&run_in(&place, &elsewhere, arguments).code(0));
        assert!(!said.contains("have changed"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_path_of_the_command_line_is_relative_to_the_current_folder() {
    let place = Place::new();
    place.write("project/table.csv", "no table");
    place.write("project/t.toml", on_table(NETWORK));
    place.write("mine/other.csv", TABLE);
    let history = place.history(&["project/t.toml", "--set", "data.csv.path=mine/other.csv"]);
    let path = history["config"]["data"]["csv"]["path"].as_str().unwrap();
    assert!(path.ends_with("mine/other.csv") && Path::new(path).is_absolute(), "{path}");
}

#[test]
fn a_file_that_lies_in_the_current_folder_alone_is_used_with_a_note() {
    let place = Place::new();
    place.write("experiments/t.toml", on_table(NETWORK));
    place.write("table.csv", TABLE);
    let run = place.run(&["exp", "t", "--device", "cpu"]).code(0);
    assert_says(&stderr(&run).replace("\n  ", " "), &["`data.csv.path`", "paths are relative to the experiment file"]);
    std::fs::remove_file(place.path("table.csv")).unwrap();
    let refused = place.refusal(&["exp", "t"]);
    assert_says(&refused, &["experiments/table.csv` does not exist", "relative to the experiment file"]);
}

#[test]
fn a_run_of_an_earlier_version_finds_its_table_from_any_folder() {
    let place = Place::new();
    place.write("table.csv", TABLE);
    place.write("t.toml", on_table(NETWORK));
    let run = folder(&place, &place.exp(&["t.toml"]));
    // as earlier versions wrote it
    std::fs::remove_file(run.join("preprocessing.json")).unwrap();
    change(&run.join("base-seed0.json"), |history| history["config"]["data"]["csv"]["path"] = "table.csv".into());
    change(&run.join("run.json"), |record| drop(record["source"].as_object_mut().unwrap().remove("folder")));
    let elsewhere = place.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    place.write("elsewhere/new.csv", NEW_ROWS);
    let run = run.to_str().unwrap();
    for arguments in
        [&["eval", run, "--strict"][..], &["predict", run, "--csv", "new.csv"], &["reproduce", run], &["resume", run]]
    {
        run_in(&place, &elsewhere, arguments).code(0);
    }
}

#[test]
fn a_relative_folder_of_data_sets_stays_the_one_that_was_named() {
    let place = Place::with_idea();
    let mut command = place.command(&["data", "path", "mnist"]);
    command.env("RUNNER_DATA_DIR", "here/data");
    let printed = Command::from_std(command).assert().code(0);
    let path = PathBuf::from(stdout(&printed).trim());
    assert!(path.is_absolute() && path.ends_with("here/data/mnist"), "{}", path.display());
}

#[test]
fn a_relative_data_folder_belongs_to_the_current_folder_and_not_to_the_folder_of_the_run() {
    let place = Place::with_idea();
    let run = folder(&place, &place.exp(&["idea.toml"]));
    // the tests download nothing: an error about a damaged file shows where the data set was looked for
    change(&run.join("run.json"), |record| {
        record["source"]["text"] = IDEA.replace("digits", "mnist").into();
        record["finished"] = false.into();
        record["groups"][0]["stacks"][0]["state"] = "waiting".into();
    });
    place.write("elsewhere/data/mnist/train-images-idx3-ubyte", "damaged");
    for command in ["reproduce", "resume"] {
        let mut command = place.command(&[command, run.to_str().unwrap()]);
        command.current_dir(place.path("elsewhere")).env("RUNNER_DATA_DIR", "data");
        let said = stderr(&Command::from_std(command).assert().code(2));
        assert_says(&said, &["elsewhere/data/mnist/train-images-idx3-ubyte` is damaged: it has 7 bytes"]);
        assert!(!place.path("data").exists(), "{said}");
    }
}
