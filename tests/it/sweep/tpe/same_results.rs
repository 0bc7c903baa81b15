//! Configurations and results do not depend on the workers.

use std::fs;
use std::path::Path;

use super::{SPACE, sets};
use crate::support::{TestDir, assert_says};
use crate::sweep::killed::run_with_kills;
use crate::sweep::sweep_run::{
    assert_same_trials, command_of, dir_with_epochs, json, names, run, sweep, trained_of, with_short_beats, worker,
};

/// Asserts that two sweeps have the same rounds, to the last byte.
#[track_caller]
fn assert_same_rounds(found: &Path, expected: &Path) {
    for number in 1.. {
        let file = format!("extend-{number}.json");
        assert_eq!(found.join(&file).exists(), expected.join(&file).exists(), "{file}");
        if !found.join(&file).exists() {
            break;
        }
        let text = |sweep: &Path| fs::read_to_string(sweep.join(&file)).unwrap();
        assert_eq!(text(found), text(expected), "{file}");
    }
}

#[track_caller]
fn assert_verified(dir: &TestDir) {
    let (code, stdout, stderr) = sweep(dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

#[test]
fn rounds_are_the_same_for_one_two_and_seven_workers() {
    let dirs = [1, 2, 7].map(|workers| (workers, dir_with_epochs(2)));
    let space = [&SPACE[..], &["--stack", "4"]].concat();
    let sweeps = dirs.each_ref().map(|(workers, dir)| trained_of(dir, &space, &["--workers", &workers.to_string()]));
    assert_eq!(sets(&sweeps[0]).len(), 14);
    for (sweep, (_, dir)) in sweeps.iter().zip(&dirs) {
        assert_same_trials(sweep, &sweeps[0], 28);
        assert_same_rounds(sweep, &sweeps[0]);
        assert_verified(dir);
    }
    // a round has seen all before it, with their results
    let first = json(&sweeps[0].join("extend-1.json"));
    let table = fs::read_to_string(sweeps[0].join("table.csv")).unwrap();
    let seen = first["round"]["seen"].as_array().unwrap();
    assert_eq!((seen.len(), first["configurations"].as_array().unwrap().len()), (10, 2));
    for result in seen {
        let line = table.lines().find(|line| line.split(',').nth(1) == result["name"].as_str()).unwrap();
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((cells[4].parse().ok(), &result["outcome"]), (result["mean"].as_f64(), &"done".into()), "{line}");
        let error = cells[5].parse::<f64>().unwrap() / 2_f64.sqrt();
        assert!((result["standard_error"].as_f64().unwrap() - error).abs() < 1e-12, "{line}");
    }
    assert_eq!(json(&sweeps[0].join("extend-2.json"))["round"]["seen"].as_array().unwrap().len(), 12);
}

#[test]
fn rounds_of_a_gaussian_process_are_the_same_for_one_and_three_workers() {
    let (one, three) = (dir_with_epochs(2), dir_with_epochs(2));
    let space = SPACE.map(|word| if word == "tpe" { "gp" } else { word });
    let expected = trained_of(&one, &space, &["--workers", "1"]);
    let found = trained_of(&three, &space, &["--workers", "3"]);
    assert_same_trials(&found, &expected, 28);
    assert_same_rounds(&found, &expected);
    assert_verified(&three);
    assert_eq!(json(&found.join("sweep.json"))["search"]["method"], "gp");
    let tpe = dir_with_epochs(2);
    let of_tpe = sets(&trained_of(&tpe, &SPACE, &["--workers", "2"]));
    assert_eq!((sets(&found)[..10].to_vec(), sets(&found) == of_tpe), (of_tpe[..10].to_vec(), false), "other rounds");
}

#[test]
fn workers_that_are_killed_change_no_round() {
    let (dir, undisturbed) = (dir_with_epochs(300), dir_with_epochs(300));
    let space = [&SPACE[..], &["--stack", "8"]].concat();
    let (path, killed) = run_with_kills(&dir, command_of(&dir, &space, &["--workers", "2", "--checkpoint", "1"]));
    assert!(killed >= 2, "{killed}");
    let expected = trained_of(&undisturbed, &space, &["--workers", "1"]);
    assert_same_trials(&path, &expected, 28);
    assert_same_rounds(&path, &expected);
    assert_verified(&dir);
}

#[test]
fn a_sweep_that_was_stopped_between_two_rounds_goes_on_with_the_same_one() {
    let dir = dir_with_epochs(2);
    let path = trained_of(&dir, &[&SPACE[..], &["--stack", "8"]].concat(), &["--workers", "1"]);
    let expected = fs::read(path.join("extend-2.json")).unwrap();
    let (all, table) = (sets(&path), fs::read(path.join("table.csv")).unwrap());
    let remove_last_round = || {
        let last = json(&path.join("extend-2.json"));
        for stack in last["stacks"].as_array().unwrap().iter().map(|stack| stack["name"].as_str().unwrap()) {
            fs::remove_dir_all(path.join("stacks").join(stack)).unwrap();
            for folder in ["claims", "beats", "ended"] {
                let of_stack = |name: &String| name.starts_with(stack);
                let of_stack: Vec<String> = names(&path.join(folder)).into_iter().filter(of_stack).collect();
                of_stack.iter().for_each(|name| fs::remove_file(path.join(folder).join(name)).unwrap());
            }
        }
        ["extend-2.json", "table.csv"].iter().for_each(|name| fs::remove_file(path.join(name)).unwrap());
    };
    remove_last_round();
    let (code, stdout, stderr) = sweep(&dir, &["status", "idea"]);
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["14 configurations", "24 of 28 done", "12 of 14 configurations chosen, 2 at a time"]);
    assert_says(&stderr, &["no worker is active", "--resume"]);
    let (code, stdout, _) = sweep(&dir, &["status", "idea", "--json"]);
    assert_eq!(code, Some(0));
    let status: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status["configurations"], serde_json::json!({ "all": 14, "chosen": 12 }));
    let (code, _, stderr) = sweep(&dir, &["table", "idea"]);
    assert_eq!(code, Some(0));
    assert_says(&stderr, &["stacks have ended; 2 configurations are not chosen yet"]);
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["the sweep is not complete", "2 configurations are not chosen yet"]);
    let (code, _, stderr) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["the sweep has not ended"]);
    let (code, _, stderr) = sweep(&dir, &["stop", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["no worker is active"]);

    // the same request finds it
    let (code, _, stderr) = run(command_of(&dir, &[&SPACE[..], &["--stack", "8"]].concat(), &["--resume"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(fs::read(path.join("extend-2.json")).unwrap(), expected);
    assert_eq!((sets(&path), fs::read(path.join("table.csv")).unwrap()), (all.clone(), table.clone()));

    // and so does a worker that was started by hand
    remove_last_round();
    let (code, _, stderr) = run(with_short_beats(worker(&dir, &path)));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["2 further configurations chosen", "all stacks have ended"]);
    assert_eq!((sets(&path), fs::read(path.join("table.csv")).unwrap()), (all, table));

    // another size of the rounds is another sweep
    let other = SPACE.map(|word| if word == "2" { "3" } else { word });
    let (code, _, stderr) = run(command_of(&dir, &[&other[..], &["--stack", "8"]].concat(), &["--resume"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["no sweep to resume"]);
}

#[test]
fn halving_and_rounds_together_do_not_depend_on_the_workers() {
    let (one, three) = (dir_with_epochs(6), dir_with_epochs(6));
    let space = [&SPACE[..], &["--stack", "8", "--halving", "first=2,keep=0.5"]].concat();
    let expected = trained_of(&one, &space, &["--workers", "1"]);
    let found = trained_of(&three, &space, &["--workers", "3"]);
    assert_same_trials(&found, &expected, 28);
    assert_same_rounds(&found, &expected);
    assert_verified(&three);
    let seen = json(&found.join("extend-2.json"))["round"]["seen"].clone();
    let dropped = |result: &&serde_json::Value| result["outcome"]["dropped"] == 2;
    let dropped: Vec<&serde_json::Value> = seen.as_array().unwrap().iter().filter(dropped).collect();
    assert!(!dropped.is_empty() && dropped.iter().all(|result| result["mean"].is_f64()), "{seen}");
}

#[test]
fn the_self_test_kills_workers_and_finds_no_difference() {
    let dir = dir_with_epochs(100);
    let test = ["selftest", "sweep", "idea.toml", "--device", "cpu", "--kills", "3", "--workers", "2", "--stack", "8"];
    let (code, stdout, stderr) = run(dir.command(&[&test[..], &SPACE].concat()));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["3 kills in ", "to the last bit"]);
}
