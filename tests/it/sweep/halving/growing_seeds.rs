//! `--seeds first=1,then=3`: configurations that are trained to the end get further seeds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::histories;
use crate::support::{TestDir, assert_says, stdout};
use crate::sweep::killed::run_with_kills;
use crate::sweep::sweep_run::{
    assert_same_trials, command_of, dir_with_epochs, json as read_json, names, sweep, trained_of,
};

/// Eight learning rates in two stacks, on one seed, and on three if they are trained to the end.
const SPACE: [&str; 10] = [
    "--space",
    "train.optimizer.adam.lr=0.0001,0.0003,0.001,0.003,0.01,0.03,0.1,0.3",
    "--seeds",
    "first=1,then=3",
    "--stack",
    "4",
    "--threads",
    "1",
    "--halving",
    "first=2,keep=0.5",
];

/// Returns the rows of the table: name, number of seeds with the metric, its mean, and status.
fn rows(sweep: &Path) -> Vec<(String, usize, f64, String)> {
    let csv = fs::read_to_string(sweep.join("table.csv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[1].to_owned(), cells[5].parse().unwrap(), cells[3].parse().unwrap(), cells[8].to_owned())
    };
    csv.lines().skip(1).map(row).collect()
}

/// Returns the names of the configurations that were trained to the end, in the order of the sweep.
fn finished(sweep: &Path) -> Vec<String> {
    let done = rows(sweep).into_iter().filter(|row| row.3 == "done");
    let mut names: Vec<String> = done.map(|row| row.0).collect();
    names.sort();
    names
}

#[track_caller]
fn assert_same(found: &Path, expected: &Path) {
    assert_same_trials(found, expected, 8 + 2 * finished(expected).len());
    let addition = |sweep: &Path| fs::read_to_string(sweep.join("extend-1.json")).unwrap();
    assert_eq!(addition(found), addition(expected));
    assert!(!found.join("extend-2.json").exists());
}

#[track_caller]
fn assert_verified(dir: &TestDir) {
    let (code, stdout, stderr) = sweep(dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

/// Removes the addition of a sweep, and what its stacks have trained.
fn remove_addition(sweep: &Path) {
    let last = read_json(&sweep.join("extend-1.json"));
    for stack in last["stacks"].as_array().unwrap().iter().map(|stack| stack["name"].as_str().unwrap()) {
        fs::remove_dir_all(sweep.join("stacks").join(stack)).unwrap();
        for folder in ["claims", "beats", "ended"] {
            let of_stack = names(&sweep.join(folder)).into_iter().filter(|name| name.starts_with(stack));
            of_stack.for_each(|name| fs::remove_file(sweep.join(folder).join(name)).unwrap());
        }
    }
    ["extend-1.json", "table.csv"].iter().for_each(|name| fs::remove_file(sweep.join(name)).unwrap());
}

#[test]
fn results_are_the_same_for_one_two_and_seven_workers() {
    let dirs = [1, 2, 7].map(|workers| (workers, dir_with_epochs(8)));
    let sweeps = dirs.each_ref().map(|(workers, dir)| trained_of(dir, &SPACE, &["--workers", &workers.to_string()]));
    for (sweep, (_, dir)) in sweeps.iter().zip(&dirs) {
        assert_same(sweep, &sweeps[0]);
        assert_verified(dir);
    }
    // those that were trained to the end have three seeds, dropped ones one, and the mean is that of all of them
    let (path, done) = (&sweeps[0], finished(&sweeps[0]));
    assert!((2..=4).contains(&done.len()), "{done:?}");
    let addition = read_json(&path.join("extend-1.json"));
    assert_eq!(addition["on_further_seeds"], json!(done));
    assert!(addition.get("added").is_none() && addition.get("command").is_none(), "{addition}");
    let all: Vec<Value> = histories(path).into_iter().map(|(_, history)| history).collect();
    for (name, seeds, mean, status) in rows(path) {
        let own: Vec<&Value> = all.iter().filter(|history| history["variant"] == name.as_str()).collect();
        let mut of_seeds: Vec<i64> = own.iter().map(|history| history["seed"].as_i64().unwrap()).collect();
        of_seeds.sort_unstable();
        let expected: &[i64] = if status == "done" { &[0, 1, 2] } else { &[0] };
        assert_eq!((&of_seeds[..], seeds), (expected, expected.len()), "{name} {status}");
        let values: f64 = own.iter().map(|history| history["best"]["val_loss"].as_f64().unwrap()).sum();
        assert!((values / seeds as f64 - mean).abs() < 1e-12 || status == "dropped", "{name}");
    }
    // commands for runs take each configuration once, with all of its seeds
    let compared = dirs[0].1.run(&["compare", &path.display().to_string(), "--json"]).code(0);
    let compared: Value = serde_json::from_str(&stdout(&compared)).unwrap();
    let group = |group: &Value| {
        let seeds = group["trials"].as_array().unwrap().iter().map(|trial| trial["seed"].as_i64().unwrap());
        (group["label"].as_str().unwrap().to_owned(), seeds.collect::<Vec<_>>())
    };
    let found: Vec<(String, Vec<i64>)> = compared["groups"].as_array().unwrap().iter().map(group).collect();
    let seeds_of = |(name, seeds, ..): (String, usize, f64, String)| (name, (0..seeds as i64).collect::<Vec<_>>());
    assert_eq!(found, rows(path).into_iter().map(seeds_of).collect::<Vec<_>>());
    // no rung is in the stacks of the further seeds
    for stack in addition["stacks"].as_array().unwrap() {
        let run = read_json(&path.join("stacks").join(stack["name"].as_str().unwrap()).join("run.json"));
        assert!(run.get("halving").is_none(), "{run}");
        assert_eq!(stack["seeds"], json!([1, 2]));
    }
}

#[test]
fn workers_that_are_killed_change_nothing() {
    let (dir, undisturbed) = (dir_with_epochs(1500), dir_with_epochs(1500));
    let space: Vec<&str> =
        SPACE.iter().map(|word| if *word == "first=2,keep=0.5" { "first=50,keep=0.5" } else { word }).collect();
    let (path, killed) = run_with_kills(&dir, command_of(&dir, &space, &["--workers", "2", "--checkpoint", "1"]));
    assert!(killed >= 2, "{killed}");
    assert_same(&path, &trained_of(&undisturbed, &space, &["--workers", "1"]));
    assert_verified(&dir);
}

#[test]
fn a_sweep_that_was_stopped_before_its_further_seeds_continues_with_the_same_ones() {
    let dir = dir_with_epochs(8);
    let path = trained_of(&dir, &SPACE, &["--workers", "1"]);
    let (addition, table) = (fs::read(path.join("extend-1.json")).unwrap(), fs::read(path.join("table.csv")).unwrap());
    let done = finished(&path);
    let number = done.len();
    remove_addition(&path);
    let (code, stdout, stderr) = sweep(&dir, &["status", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(
        &stdout,
        &[
            "8 configurations, 1 seed each, 3 if trained to the end",
            &format!("{number} configurations on further seeds 1..2"),
        ],
    );
    let (_, _, stderr) = sweep(&dir, &["table", "idea"]);
    assert_says(
        &stderr,
        &[&format!("2 of 2 stacks have ended; {number} configurations are trained on further seeds next")],
    );
    let (code, _, stderr) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["the sweep has not ended"]);
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["the sweep is not complete", "on further seeds next", "--resume"]);

    let (code, _, stderr) = sweep(&dir, &[&path.display().to_string(), "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &[&format!("{number} configurations trained to the end: now on seeds 1..2, too")]);
    assert!(fs::read(path.join("extend-1.json")).unwrap() == addition, "the same further seeds");
    assert!(fs::read(path.join("table.csv")).unwrap() == table);

    // the fresh seeds of a confirmation are those that the sweep has not used
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea", "--seeds", "2..9"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["trained on seed 2 already", "choose seeds other than 0..2"]);

    // another choice is found
    let text = String::from_utf8(addition).unwrap();
    let dropped = rows(&path).into_iter().find(|row| row.3 == "dropped").unwrap().0;
    fs::write(path.join("extend-1.json"), text.replace(&format!("\"{}\"", done[0]), &format!("\"{dropped}\"")))
        .unwrap();
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(1));
    let expected =
        format!("extend-1.json: the configurations that get further seeds must be {}, found", done.join(", "));
    assert_says(&stdout, &[&expected]);
}

#[test]
fn further_configurations_get_further_seeds_too() {
    let dir = dir_with_epochs(8);
    let text = fs::read_to_string(dir.path("idea.toml")).unwrap();
    let table = "[sweep]\ntrials = 4\nseeds = { first = 1, then = 2 }\nhalving = { first = 2, keep = 0.5 }\nconfirm = { seeds = \"50..52\" }\n\
                 [sweep.space]\n\"train.optimizer.adam.lr\" = { log = [1e-4, 1e-1] }\n";
    dir.write("idea.toml", format!("{text}\n{table}"));
    let path = trained_of(&dir, &["--stack", "4", "--threads", "1"], &["--workers", "1"]);
    assert_eq!(read_json(&path.join("extend-2.json"))["confirmation"]["seeds"], json!([50, 51, 52]));
    let (code, _, stderr) = sweep(&dir, &["extend", "idea", "--trials", "+4"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = sweep(&dir, &[&path.display().to_string(), "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (first, second) = (read_json(&path.join("extend-1.json")), read_json(&path.join("extend-4.json")));
    let both = [&first, &second].map(|addition| addition["on_further_seeds"].as_array().unwrap().clone());
    assert!(!both[1].is_empty() && both[1].iter().all(|name| name.as_str().unwrap() >= "0004"), "{second}");
    assert_eq!(json!(both.concat()), json!(finished(&path)));
    assert_verified(&dir);
    let all: Vec<PathBuf> = histories(&path).into_iter().map(|(file, _)| file).collect();
    assert_eq!(all.iter().filter(|file| file.to_string_lossy().contains("-seed1.json")).count(), finished(&path).len());

    // a confirmation on a further seed is not on fresh ones
    let mut confirmation = read_json(&path.join("extend-2.json"));
    confirmation["confirmation"]["seeds"] = json!([1, 51, 52]);
    fs::write(path.join("extend-2.json"), confirmation.to_string()).unwrap();
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(1));
    assert_says(&stdout, &["extend-2.json: its seed 1 is one of the search, and not fresh"]);
}

#[test]
fn rounds_come_before_further_seeds() {
    let dir = dir_with_epochs(6);
    let space = ["--space", "lr=log:1e-4..1", "--method", "tpe", "--trials", "14", "--round", "4", "--threads", "1"];
    let space = [&space[..], &["--halving", "first=2,keep=0.5", "--seeds", "first=1,then=2", "--stack", "8"]].concat();
    let path = trained_of(&dir, &space, &["--workers", "2"]);
    let last = read_json(&path.join("extend-2.json"));
    assert!(read_json(&path.join("extend-1.json"))["round"].is_object());
    assert_eq!(last["on_further_seeds"], json!(finished(&path)));
    assert_eq!(rows(&path).len(), 14);
    assert_verified(&dir);
}

#[test]
fn a_dry_run_and_mistakes() {
    let dir = dir_with_epochs(20);
    let all = [&["sweep", "idea.toml", "--dry-run", "--device", "cpu"], &SPACE[..]].concat();
    let text = stdout(&dir.run(&all).code(0)).split_whitespace().collect::<Vec<_>>().join(" ");
    // in each of two stacks four configurations train 2 epochs, two 2 more, and one 16 more; then this one 20 on two seeds
    let words = ["seeds 0, then 0..2 for configurations that are trained to the end", "rungs after epochs 2, 4, 8, 16"];
    assert_says(&text, &words);
    assert_says(&text, &["136 of 480 epochs"]);
    let plan: Value = serde_json::from_str(&stdout(&dir.run(&[&all[..], &["--json"]].concat()).code(0))).unwrap();
    assert_eq!((&plan["seeds"], &plan["further_seeds"]), (&json!([0]), &json!([1, 2])));
    assert_eq!((&plan["halving"]["epochs"], &plan["halving"]["all_epochs"]), (&json!(136), &json!(480)));

    let message = dir.error_message(&["sweep", "idea.toml", "--space", "lr=0.1,0.2", "--seeds", "first=1,then=3"]);
    assert_says(
        &message,
        &["`seeds = { first = 1, then = 3 }` needs `halving`", "`--halving first=3`", "`--seeds 0..2`"],
    );
    let message = dir.error_message(&["sweep", "idea.toml", "--space", "lr=0.1,0.2", "--seeds", "first=3,then=1"]);
    assert_says(&message, &["`--seeds`", "`then` must be greater than `first` (3), found 1"]);
    let text = fs::read_to_string(dir.path("idea.toml")).unwrap();
    for (seeds, words) in [
        ("{ first = 2, then = 2 }", &["line ", "`then` must be greater than `first` (2), found 2"][..]),
        ("{ first = 0, then = 2 }", &["line ", "`first` must be at least 1, found 0"]),
        ("{ frist = 1, then = 2 }", &["line ", "unknown key `frist`", "did you mean `first`?"]),
        ("{ first = 1 }", &["line ", "`then`"]),
        ("{ first = 1, then = 2 }", &["needs `halving`", "idea.toml, line "]),
        ("1.5", &["line ", "`{ first = 1, then = 3 }`"]),
    ] {
        dir.write("idea.toml", format!("{text}\n[sweep]\nseeds = {seeds}\n"));
        assert_says(&dir.error_message(&["sweep", "idea.toml", "--space", "lr=0.1,0.2"]), words);
    }
    assert!(!dir.path("sweeps").exists());
}
