//! `--halving`: configurations are dropped at rungs, and the others continue as if they were alone.

mod bad_input;
mod growing_seeds;
mod lone;
mod results;
mod verify;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::killed::run_with_kills;
use super::sweep_run::{assert_same_trials, command_of, dir_with_epochs, json, names, sweep, trained_of};
use crate::support::assert_says;

/// Eight learning rates on two seeds in two stacks.
const SPACE: [&str; 8] = [
    "--space",
    "train.optimizer.adam.lr=0.0001,0.0003,0.001,0.003,0.01,0.03,0.1,0.3",
    "--seeds",
    "0,1",
    "--stack",
    "8",
    "--threads",
    "1",
];

/// Histories of all trials of a sweep, with the paths of their files.
#[track_caller]
fn histories(sweep: &Path) -> Vec<(PathBuf, Value)> {
    let mut all = Vec::new();
    for stack in names(&sweep.join("stacks")) {
        let folder = sweep.join("stacks").join(stack);
        let of_trial = |name: &String| name.contains("-seed") && name.ends_with(".json");
        all.extend(
            names(&folder).into_iter().filter(of_trial).map(|name| (folder.join(&name), json(&folder.join(name)))),
        );
    }
    all
}

fn epochs(history: &Value) -> usize {
    history["history"]["epoch"].as_array().unwrap().len()
}

#[test]
fn results_and_decisions_are_the_same_for_one_and_three_workers_and_are_reproduced() {
    let (one, three) = (dir_with_epochs(12), dir_with_epochs(12));
    let space = [&SPACE[..], &["--halving", "first=2,keep=0.33"]].concat();
    let expected = trained_of(&one, &space, &["--workers", "1"]);
    let found = trained_of(&three, &space, &["--workers", "3"]);
    assert_same_trials(&found, &expected, 16);
    let rungs = |sweep: &Path, stack: &str| {
        json(&sweep.join(format!("stacks/{stack}/run.json")))["groups"][0]["stacks"][0]["rungs"].clone()
    };
    for stack in ["S000", "S001"] {
        assert!(rungs(&found, stack)[0]["configurations"].is_array());
        assert_eq!(rungs(&found, stack), rungs(&expected, stack));
    }
    let (code, stdout, stderr) = sweep(&three, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let output = three.command(&["reproduce", &found.join("stacks/S000").display().to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_says(&text, &["identical"]);
}

#[test]
fn workers_that_are_killed_between_rungs_decide_and_train_the_same() {
    let (dir, undisturbed) = (dir_with_epochs(2000), dir_with_epochs(2000));
    let space = [&SPACE[..], &["--halving", "first=50,keep=0.5"]].concat();
    let (path, killed) = run_with_kills(&dir, command_of(&dir, &space, &["--workers", "2", "--checkpoint", "1"]));
    assert!(killed >= 2, "{killed}");
    assert!(names(&path.join("claims")).len() > 2, "stacks were taken over");
    assert_same_trials(&path, &trained_of(&undisturbed, &space, &["--workers", "1"]), 16);
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
}
