//! Data that change during a sweep, or that one machine lacks.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::sweep_run::{empty, files_of_trials, json, names, planned_of, reopen, run, sweep, trained_of, worker};
use crate::support::{TestDir, assert_says, idea_with};

/// Three learning rates on two seeds, in three stacks.
const SPACE: [&str; 8] = ["--space", "lr=0.001,0.01,0.1", "--seeds", "0,1", "--stack", "2", "--threads", "1"];

/// The rows of a table with two classes.
fn rows(shift: usize) -> String {
    let row = |number: usize| {
        let class = if number.is_multiple_of(3) { "yes" } else { "no" };
        format!("{},{},{class}\n", (number * 7 + shift) % 11, (number % 3) * 2 + number % 5)
    };
    (0..60).fold("a,b,y\n".to_owned(), |text, number| text + &row(number))
}

/// A directory with an experiment on a table.
fn dir() -> TestDir {
    let dir = TestDir::new();
    let data = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\nsplit = { validation = 0.25, random_state = 0 }";
    dir.write("idea.toml", idea_with("[data.digits]", data).replace("{ linear = 10 }", "{ linear = 2 }"));
    dir.write("table.csv", rows(0));
    dir
}

/// Checksum of the data of a trial.
fn data_of(sweep: &Path, stack: &str) -> Value {
    let folder = sweep.join("stacks").join(stack);
    let history = names(&folder).into_iter().find(|name| name.ends_with("-seed0.json")).unwrap();
    json(&folder.join(history))["data"]["sha256"].clone()
}

/// A trained sweep of which stack `S001` is open again, with its directory.
fn with_open_stack(dir: &TestDir) -> PathBuf {
    let path = trained_of(dir, &SPACE, &["--workers", "1"]);
    reopen(&path, "S001");
    path
}

#[test]
fn changed_data_are_refused_without_force_and_never_mixed_within_a_stack() {
    let dir = dir();
    let path = with_open_stack(&dir);
    let shown = path.display().to_string();
    let before = files_of_trials(&path);
    dir.write("table.csv", rows(1));
    for arguments in [&["work", &shown][..], &[&shown, "--resume"], &[&shown, "--resume", "--workers", "3"]] {
        let (code, _, stderr) = sweep(&dir, arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, &["the data of `csv` have changed since the sweep started", "`--force`"]);
    }
    assert!(names(&path.join("claims")).iter().all(|claim| !claim.starts_with("S001")), "no stack was taken");
    assert!(files_of_trials(&path) == before);

    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume", "--force"]);
    assert_eq!(code, Some(0), "{stderr}");
    let after = files_of_trials(&path);
    for (name, bytes) in &before {
        assert_eq!(after[name] == *bytes, !name.starts_with("S001/"), "{name}");
    }
    assert_ne!(data_of(&path, "S001"), data_of(&path, "S000"));
    assert_eq!(data_of(&path, "S002"), data_of(&path, "S000"));
}

#[test]
fn results_of_other_data_are_not_published_when_a_failed_stack_is_tried_again() {
    let dir = dir();
    let path = trained_of(&dir, &SPACE, &["--workers", "1"]);
    let trials = files_of_trials(&path);
    let table = std::fs::read_to_string(path.join("table.csv")).unwrap();

    // S001 is trained on other data, and its end says that it has failed
    reopen(&path, "S001");
    std::fs::remove_dir_all(path.join("stacks/S001")).unwrap();
    let shown = path.display().to_string();
    dir.write("table.csv", rows(1));
    assert_eq!(sweep(&dir, &["work", &shown, "--force"]).0, Some(0));
    let mut end = json(&path.join("ended/S001.json"));
    end["failure"] = serde_json::json!({ "error": "the disk was full", "cause": "the disk was full" });
    std::fs::write(path.join("ended/S001.json"), end.to_string()).unwrap();
    dir.write("table.csv", rows(0));

    assert_eq!(sweep(&dir, &["retry", "--failed", &shown]).0, Some(0));
    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(files_of_trials(&path) == trials, "trained again, on the data of the sweep");
    assert_eq!(std::fs::read_to_string(path.join("table.csv")).unwrap(), table);
}

#[test]
fn without_its_data_a_machine_takes_no_stack() {
    let dir = dir();
    let path = planned_of(&dir, &SPACE);
    std::fs::remove_file(dir.path("table.csv")).unwrap();
    let (code, _, stderr) = run(worker(&dir, &path));
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["table.csv"]);
    assert_eq!(names(&path.join("ended")), [""; 0]);
}

/// The table can be read until a stack is taken, and not after that.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_that_cannot_read_the_data_leaves_with_one_error_and_the_stacks_stay_free() {
    use crate::disk::faulty_disk::{EIO, library};

    // one stack
    const SPACE: [&str; 8] = ["--space", "lr=0.001,0.01,0.1", "--seeds", "0,1", "--stack", "6", "--threads", "1"];
    let dir = dir();
    let path = trained_of(&dir, &SPACE, &["--workers", "1"]);
    let expected = files_of_trials(&path);
    empty(&path);
    let reads = super::signals::reads_before_training(&dir, &path, "table.csv");
    let fail = |command: &mut std::process::Command| {
        command.env("LD_PRELOAD", library()).env("FAULT_UNDER", dir.path("")).env("FAULT_MATCH", "table.csv");
        command.env("FAULT_CALL", "read").env("FAULT_ERRNO", EIO).env("FAULT_AFTER", (reads - 1).to_string());
    };
    let mut broken = worker(&dir, &path);
    fail(&mut broken);
    let (code, _, stderr) = run(broken);
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["failed to train stack S00", "table.csv", "error"]);
    assert_eq!(stderr.matches("error:").count(), 1, "{stderr}");
    assert_eq!(names(&path.join("ended")), [""; 0], "no stack has failed");
    assert_eq!(names(&path.join("claims")).len(), 1);
    let beat = names(&path.join("beats"));
    assert_eq!(std::fs::read_to_string(path.join("beats").join(&beat[0])).unwrap(), "released\n");

    // three workers in a row on each of two places
    let shown = path.display().to_string();
    let mut command = super::sweep_run::with_short_beats(dir.command(&["sweep", &shown, "--resume", "--workers", "2"]));
    fail(&mut command);
    let (code, _, stderr) = run(command);
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["the workers failed again and again", "table.csv", "see the logs in"]);
    assert_eq!(names(&path.join("ended")), [""; 0], "no stack has failed");

    let (code, _, stderr) = run(worker(&dir, &path));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(files_of_trials(&path) == expected);
}

#[test]
fn a_complete_sweep_is_not_extended_with_changed_data() {
    let dir = dir();
    let path = trained_of(&dir, &SPACE, &["--workers", "1"]);
    let shown = path.display().to_string();
    dir.write("table.csv", rows(1));
    let before = dir.files();
    for options in [&["--seeds", "2"][..], &["--space", "lr=0.001,0.01,0.1,1"], &["--seeds", "2", "--dry-run"]] {
        let (code, _, stderr) = sweep(&dir, &[&["extend", &shown], options].concat());
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, &["the data of `csv` have changed since the sweep started", "`--force`"]);
    }
    assert_eq!(dir.files(), before);
    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume"]);
    assert_eq!(code, Some(0), "nothing is trained: {stderr}");
    let (code, _, stderr) = sweep(&dir, &["extend", &shown, "--seeds", "2", "--force"]);
    assert_eq!(code, Some(0), "{stderr}");
    dir.write("table.csv", rows(0));
    let (code, _, stderr) = sweep(&dir, &["extend", &shown, "--seeds", "3"]);
    assert_eq!(code, Some(0), "{stderr}");
}

/// The table changes after a worker has trained its first stack.
#[cfg(target_os = "linux")]
#[test]
fn with_force_each_stack_is_trained_on_the_data_that_it_finds() {
    use super::sweep_run::{start, wait_for};
    use crate::disk::faulty_disk::library;

    let dir = dir();
    let path = planned_of(&dir, &SPACE);
    let gate = dir.data_path("gate");
    let mut held = worker(&dir, &path);
    held.arg("--force").env("LD_PRELOAD", library()).env("FAULT_UNDER", &path).env("FAULT_MATCH", "/ended/");
    held.env("FAULT_CALL", "link").env("FAULT_HOLD", &gate);
    let mut child = start(held);
    wait_for(|| gate.with_extension("reached").exists());
    let first = names(&path.join("stacks"));
    assert_eq!(first.len(), 1, "{first:?}");
    dir.write("table.csv", rows(1));
    std::fs::write(&gate, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let others: Vec<String> = names(&path.join("stacks")).into_iter().filter(|stack| *stack != first[0]).collect();
    assert_eq!(others.len(), 2);
    assert_ne!(data_of(&path, &others[0]), data_of(&path, &first[0]), "they were loaded again");
    assert_eq!(data_of(&path, &others[0]), data_of(&path, &others[1]));
}
