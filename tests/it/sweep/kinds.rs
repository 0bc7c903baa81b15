//! Sweeps with folds, with trees, and with stacks of mixed settings, whose workers are killed.

use super::killed::run_with_kills;
use super::sweep_run::{assert_same_trials, command_of, json, names, trained_of};
use crate::support::{TestDir, idea_with};

/// A directory with an experiment on the digits with this split and number of epochs.
fn dir_with(split: &str, epochs: usize) -> TestDir {
    let dir = TestDir::new();
    let text = idea_with("epochs = 2", &format!("epochs = {epochs}"));
    dir.write("idea.toml", text.replace("[data.digits]", &format!("[data.digits]\nsplit = {split}")));
    dir
}

/// Trains a sweep with kills and one without, and compares them. Returns the lines of the table.
fn lines_of_same_tables(make: impl Fn() -> TestDir, space: &[&str], trials: usize) -> Vec<String> {
    let (dir, undisturbed) = (make(), make());
    let command = command_of(&dir, space, &["--workers", "2", "--threads", "1", "--checkpoint", "1"]);
    let (path, killed) = run_with_kills(&dir, command);
    assert!(killed > 0, "no worker was killed");
    let expected = trained_of(&undisturbed, space, &["--workers", "1", "--threads", "1"]);
    assert_same_trials(&path, &expected, trials);
    let table = std::fs::read_to_string(path.join("table.csv")).unwrap();
    table.lines().map(str::to_owned).collect()
}

#[test]
fn each_configuration_has_all_of_its_folds() {
    let split = "{ folds = 3, test = 0.2, random_state = 1 }";
    let space = ["--space", "lr=0.0001,0.001,0.01,0.1", "--seeds", "0,1", "--stack", "6"];
    let lines = lines_of_same_tables(|| dir_with(split, 200), &space, 4 * 2 * 3);
    assert_eq!(lines.len(), 5);
    for line in &lines[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[5..7], ["6", "6"], "n and trials: {line}");
        assert_eq!(cells[8], "done", "{line}");
    }
    let means: Vec<f64> = lines[1..].iter().map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect();
    assert!(means.is_sorted() && means[0] < means[3], "{means:?}");
}

#[test]
fn a_stack_of_mixed_settings_continues_with_the_settings_of_each_model() {
    let make = || {
        let dir = dir_with("{ validation = 0.2 }", 150);
        let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
        dir.write("idea.toml", text.replace("\"relu\"", "\"relu\", { dropout = 0.1 }"));
        dir
    };
    let space = [
        "--space",
        "lr=0.0003,0.003,0.03",
        "--space",
        "train.optimizer.adam.weight_decay=0,0.01",
        "--space",
        "p=0.1,0.4",
        "--space",
        "network.init=pytorch,he_normal",
        "--space",
        "train.loss.cross_entropy.label_smoothing=0,0.1",
        "--metric",
        "best.val_acc",
        "--trials",
        "12",
        "--stack",
        "6",
    ];
    let lines = lines_of_same_tables(make, &space, 12);
    assert_eq!(lines.len(), 13);
}

#[test]
fn trees_need_no_network_and_are_fitted_once() {
    let text = "title = \"t\"\n[data.digits]\nsplit = { validation = 0.2, test = 0.2 }\n[tree]\n";
    let space = ["--space", "tree.max_depth=1,2,4,8", "--space", "tree.criterion=gini,entropy", "--stack", "4"];
    let make = || {
        let dir = TestDir::new();
        dir.write("idea.toml", text);
        dir
    };
    let (one, three) = (make(), make());
    let expected = trained_of(&one, &space, &["--workers", "1", "--threads", "1"]);
    let found = trained_of(&three, &space, &["--workers", "3", "--threads", "1"]);
    assert_same_trials(&found, &expected, 8);
    assert_eq!(names(&found.join("ended")), ["S000.json", "S001.json"]);
    let end = json(&found.join("ended/S000.json"));
    assert_eq!((&end["generation"], end["trials"].as_array().unwrap().len()), (&1.into(), 4));
    let table = std::fs::read_to_string(found.join("table.csv")).unwrap();
    assert!(table.lines().nth(1).unwrap().contains(",8,"), "the deepest trees are best: {table}");
}

/// A worker that is killed while it writes the third tree of a stack leaves the first two to the next one.
#[cfg(target_os = "linux")]
#[test]
fn a_killed_worker_leaves_its_trees() {
    use super::sweep_run::{planned_of, run, start, wait_for, worker};
    use crate::disk::faulty_disk::library;

    let text = "title = \"t\"\n[data.digits]\nsplit = { validation = 0.2 }\n[tree]\n";
    let space = ["--space", "tree.max_depth=1,2,3,4", "--stack", "4", "--threads", "1"];
    let make = || {
        let dir = TestDir::new();
        dir.write("idea.toml", text);
        dir
    };
    let (dir, undisturbed) = (make(), make());
    let planned = planned_of(&dir, &space);
    let gate = dir.data_path("gate");
    let mut held = worker(&dir, &planned);
    held.env("LD_PRELOAD", library()).env("FAULT_UNDER", &planned).env("FAULT_MATCH", "0002-seed0.tree.json");
    held.env("FAULT_CALL", "open").env("FAULT_HOLD", &gate);
    let mut child = start(held);
    wait_for(|| gate.with_extension("reached").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let first = planned.join("stacks/S000/0000-seed0.tree.json");
    let written = |path: &std::path::Path| path.metadata().unwrap().modified().unwrap();
    let before = written(&first);
    let (code, _, stderr) = run(worker(&dir, &planned));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(written(&first), before, "it was not fitted again");
    assert_same_trials(&planned, &trained_of(&undisturbed, &space, &["--workers", "1"]), 4);
}
