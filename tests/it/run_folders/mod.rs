//! What a run's folder is good for: it is found from any folder and by the right name, it predicts without the data, and
//! what is missing in it is said.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

use crate::support::{IDEA, Place, assert_says, idea_with, stderr, stdout};

const TABLE: &str = "\
width,color,spare,y
1.25,red,3,small
2.5,green,,small
3.75,red,1,small
4.5,blue,2,large
5.25,green,2,large
6.75,blue,,large
1.5,red,1,small
5.5,blue,3,large
2.25,green,2,small
6.25,red,1,large
";

const NEW_ROWS: &str = "y,color,width,spare\nlarge,blue,6.5,\nsmall,red,1.0,2\n,green,2.0,1\n";

/// An experiment on `table.csv` beside it.
fn on_table(model: &str) -> String {
    let data = "title = \"Table\"\n[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\nencode = \"one_hot\"\n\
                missing = \"mean\"\nscale = \"standard\"\nsplit = { test = 0.3, random_state = 1 }\n";
    format!("{data}{model}")
}

const NETWORK: &str = "[network]\nlayers = [{ linear = 4 }, \"relu\", { linear = 2 }]\n[train]\nepochs = 3\nbatch = 4\n\
                       loss = \"cross_entropy\"\noptimizer = \"adam\"\n";

/// The program in another folder.
fn run_in(place: &Place, folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = place.command(arguments);
    command.current_dir(folder);
    Command::from_std(command).assert()
}

/// Copies a folder with what is in it, links as what they lead to.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

fn json(file: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn change(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json(file);
    change(&mut value);
    std::fs::write(file, value.to_string()).unwrap();
}

/// The folder of the run that `exp` printed.
fn folder(place: &Place, printed: &Value) -> PathBuf {
    place.path(printed["run"].as_str().unwrap())
}

// Paths

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

// Prediction without the data

#[test]
fn a_copy_of_a_run_predicts_new_rows_without_the_training_table() {
    let tree = "[tree]\nmax_depth = 3\n";
    let folds = NETWORK.to_owned();
    for (text, trial) in [
        (on_table(NETWORK), "base-seed0"),
        (on_table(tree), "base-seed0"),
        (on_table(&folds).replace("test = 0.3", "folds = 2"), "base-seed0-fold1"),
        (on_table(NETWORK).replace("one_hot", "label").replace("standard", "min_max"), "base-seed0"),
        (
            format!(
                "{}[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = {{ \"data.csv.scale\" = \"min_max\" }}\n",
                on_table(NETWORK)
            ),
            "b-seed0",
        ),
    ] {
        let place = Place::new();
        place.write("table.csv", TABLE);
        place.write("t.toml", &text);
        place.write("new.csv", NEW_ROWS);
        let run = folder(&place, &place.exp(&["t.toml"]));
        let predict = |folder: &Path, run: &Path| {
            let rows = place.path("new.csv");
            let arguments = [
                "predict",
                run.to_str().unwrap(),
                "--csv",
                rows.to_str().unwrap(),
                "--trial",
                trial,
                "--format",
                "csv",
            ];
            stdout(&run_in(&place, folder, &arguments).code(0))
        };
        let there = predict(&place.path(""), &run);
        // the same as by the run's own data
        std::fs::rename(run.join("preprocessing.json"), place.path("kept.json")).unwrap();
        assert_eq!(predict(&place.path(""), &run), there);
        std::fs::rename(place.path("kept.json"), run.join("preprocessing.json")).unwrap();

        let other = tempfile::tempdir().unwrap();
        copy(&run, &other.path().join("copied"));
        std::fs::remove_file(place.path("table.csv")).unwrap();
        std::fs::remove_dir_all(place.path("runs")).unwrap();
        assert_eq!(predict(other.path(), &other.path().join("copied")), there, "{text}");
        assert_eq!(there.lines().count(), 4, "{there}");
    }
}

#[test]
fn what_is_stored_is_checked_when_it_is_read() {
    let place = Place::new();
    place.write("table.csv", TABLE);
    place.write("t.toml", on_table(NETWORK));
    place.write("new.csv", NEW_ROWS);
    let run = folder(&place, &place.exp(&["t.toml"]));
    let file = run.join("preprocessing.json");
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.len() < 5000 && whole.contains("runner.preprocessing/1"), "{whole}");
    let divisor = whole.find("\"divisor\": [").unwrap() + "\"divisor\": [".len();
    let end = divisor + whole[divisor..].find(',').unwrap();
    let zero = format!("{}0.0{}", &whole[..divisor], &whole[end..]);
    let other_sum = whole.replacen("\"sha256\": \"", "\"sha256\": \"0", 1);
    for (text, words) in [
        (&whole[..whole.len() / 2], "it is damaged"),
        (&whole.replace("preprocessing/1", "preprocessing/9"), "`runner.preprocessing/9`"),
        (&other_sum, "other data than those of `base-seed0`"),
        (&zero, "divides by zero"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = place.refusal(&["predict", "t", "--csv", "new.csv"]);
        assert_says(&refused, &["preprocessing.json", words, "hint: "]);
    }
    std::fs::remove_file(&file).unwrap();
    place.run(&["predict", "t", "--csv", "new.csv"]).code(0);
}

// Data that have changed since

#[test]
fn a_finished_run_on_other_data_is_not_taken_for_this_one() {
    let place = Place::new();
    place.write("table.csv", TABLE);
    place.write("t.toml", on_table(NETWORK));
    place.write("other/table.csv", TABLE.replace("1.25", "1.5"));
    place.write("other/t.toml", on_table(NETWORK));
    place.exp(&["t.toml"]);
    let resumed = ["exp", "t.toml", "--resume", "--device", "cpu"];
    assert_says(&stderr(&place.run(&resumed).code(0)), &["nothing is left to be done"]);
    // the same path from another folder
    let arguments = ["exp", "t.toml", "--resume", "--device", "cpu", "--out", "../runs"];
    let refused = run_in(&place, &place.path("other"), &arguments).code(2);
    assert_says(&stderr(&refused), &["the data of `csv` have changed since the run began", "hint: "]);
    // the same file, changed
    place.write("table.csv", format!("{TABLE}9.9,red,1,large\n"));
    assert_says(&place.refusal(&resumed), &["the data of `csv` have changed since the run began", "hint: "]);
    place.write("table.csv", TABLE);
    place.run(&resumed).code(0);
}

// The newest run

/// Makes a run of `idea` that is unfinished, newer than the others.
fn interrupt(place: &Place, newest: &Path) -> PathBuf {
    let unfinished = newest.with_file_name("2099-01-01T000000Z-abcdef");
    copy(newest, &unfinished);
    change(&unfinished.join("run.json"), |record| record["finished"] = false.into());
    change(&unfinished.join("base-seed0.json"), |history| history["status"] = "interrupted".into());
    assert!(place.path("runs/idea").join(&unfinished).exists());
    unfinished
}

#[cfg(unix)]
#[test]
fn the_newest_run_is_the_last_that_finished_and_a_newer_one_is_said() {
    let place = Place::with_idea();
    place.write("idea.toml", idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }"));
    let finished = folder(&place, &place.exp(&["idea.toml"]));
    let unfinished = interrupt(&place, &finished);
    for arguments in [
        &["eval", "idea", "--json"][..],
        &["predict", "idea", "--index", "0"],
        &["export", "idea", "--csv"],
        &["reproduce", "idea", "--json"],
        &["report", "idea", "-o", "r.html"],
        &["plot", "curves", "idea", "-o", "c.svg"],
        &["resume", "runs/idea/latest"],
    ] {
        let run = place.run(arguments);
        let said = stderr(&run);
        assert_says(&said, &["2099-01-01T000000Z-abcdef", "has not finished", "runner resume"]);
    }
    let evaluated: Value = serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--json"]))).unwrap();
    assert_eq!(evaluated["trials"][0]["status"], "completed");
    let named = place.run(&["eval", unfinished.to_str().unwrap(), "--json"]).code(0);
    assert!(!stderr(&named).contains("note: "), "{}", stderr(&named));
    // an older run that finishes is not the newest
    place.exp(&["idea.toml", "--seed", "3"]);
    let latest = std::fs::read_link(place.path("runs/idea/latest")).unwrap();
    assert!(!latest.to_str().unwrap().starts_with("2099"));
    // what can be resumed is the one that was interrupted
    std::fs::remove_file(unfinished.join("base-seed0.json")).unwrap();
    let resumed = stderr(&place.run(&["resume", "idea"]).code(0));
    assert_says(&resumed, &["going on with `runs/idea/2099-01-01T000000Z-abcdef`"]);
    let latest = std::fs::read_link(place.path("runs/idea/latest")).unwrap();
    assert_eq!(latest, Path::new("2099-01-01T000000Z-abcdef"));
}

#[test]
fn a_copy_of_the_link_latest_is_no_run() {
    let place = Place::with_idea();
    let run = folder(&place, &place.exp(&["idea.toml"]));
    copy(&place.path("runs"), &place.path("copy"));
    // two runs of the same second would be told apart by their settings alone
    let copied = place.path("copy/idea").join(run.file_name().unwrap());
    std::fs::rename(&copied, copied.with_file_name("2020-01-01T000000Z-aaaaaa")).unwrap();
    assert!(!place.path("copy/idea/latest").is_symlink());
    let again = place.run(&["exp", "idea.toml", "--epochs", "3", "--device", "cpu", "--out", "copy"]).code(0);
    assert_says(&stderr(&again), &["copy/idea/latest` is a folder and no link"]);
    let evaluated: Value =
        serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--out", "copy", "--data", "train", "--json"])))
            .unwrap();
    assert!(!evaluated["run"].as_str().unwrap().contains("latest"), "{evaluated}");
    let history = place.run(&["export", "idea", "--out", "copy", "--keras"]).code(0);
    let exported = stdout(&history).lines().nth(1).unwrap().to_owned();
    let curves = json(place.path(&format!("{exported}base-seed0.json")));
    assert_eq!(curves["loss"].as_array().unwrap().len(), 3, "the new run, not the copied one");
    let runs: Value = serde_json::from_str(&stdout(&place.run(&["runs", "--out", "copy", "--json"]).code(0))).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 2, "{runs}");
}

// What is missing

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
        assert!(!stdout(&lone).contains("figures as in the history"), "{}", stdout(&lone));
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
