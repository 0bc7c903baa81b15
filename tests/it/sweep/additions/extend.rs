//! `runner sweep extend`: further configurations and seeds, without training again.

mod folds;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::sweep_run::{
    dir_with_epochs, files_of_trials, json, names, only_sweep, run, start, sweep, wait_for, with_short_beats,
};
use crate::support::{TestDir, assert_says};

/// Learning rates of a range, four configurations on two seeds in a stack.
const SPACE: [&str; 10] =
    ["--space", "lr=log:1e-4..1e-1", "--seeds", "0,1", "--stack", "4", "--threads", "1", "--workers", "2"];

/// Trains a sweep with these options.
#[track_caller]
fn trained(dir: &TestDir, options: &[&str]) -> PathBuf {
    let all = [&["sweep", "idea.toml", "--device", "cpu"], options].concat();
    let (code, _, stderr) = run(with_short_beats(dir.command(&all)));
    assert_eq!(code, Some(0), "{stderr}");
    only_sweep(dir)
}

/// Runs `runner sweep extend` and returns its text.
#[track_caller]
fn extended(dir: &TestDir, options: &[&str]) -> String {
    let (code, stdout, stderr) = sweep(dir, &[&["extend", "idea"], options].concat());
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["train what was added with `runner sweep ", "--resume`"]);
    stdout
}

/// Continues the only sweep.
#[track_caller]
fn resumed(dir: &TestDir) -> String {
    let path = only_sweep(dir).display().to_string();
    let (code, _, stderr) = sweep(dir, &[&path, "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    stderr
}

/// Modification times and bytes of all files of these stacks.
fn snapshot(path: &Path, stacks: &[&str]) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let folders = stacks.iter().map(|stack| path.join("stacks").join(stack));
    let files = folders.flat_map(|folder| names(&folder).into_iter().map(move |name| folder.join(name)));
    let ends = stacks.iter().map(|stack| path.join("ended").join(format!("{stack}.json")));
    let read = |file: PathBuf| {
        let modified = file.metadata().unwrap().modified().unwrap();
        (file.clone(), (modified, std::fs::read(&file).unwrap()))
    };
    files.chain(ends).map(read).collect()
}

fn table(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path.join("table.csv")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn an_extended_sweep_has_the_results_of_a_larger_one_and_trains_nothing_again() {
    let (dir, larger) = (dir_with_epochs(3), dir_with_epochs(3));
    let path = trained(&dir, &[&SPACE[..], &["--trials", "4"]].concat());
    let before = snapshot(&path, &["S000", "S001"]);
    assert!(before.len() >= 2 * (4 * 2 + 2), "{:?}", before.keys());

    let said = extended(&dir, &["--trials", "+4"]);
    assert_says(&said, &["added 4 configurations (0004 to 0007): 8 trials in 2 stacks", "  0004  lr="]);
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert_says(&status, &["8 configurations, 2 seeds each", "8 of 16 done", "2 of 4 ended"]);
    assert!(!path.join("table.csv").exists());
    assert_says(&resumed(&dir), &["8 configurations, 2 seeds each, in 4 stacks"]);

    let expected = trained(&larger, &[&SPACE[..], &["--trials", "8"]].concat());
    assert!(files_of_trials(&path) == files_of_trials(&expected), "the results differ from those of a larger sweep");
    assert_eq!(table(&path), table(&expected));
    assert_eq!(snapshot(&path, &["S000", "S001"]), before, "trained again");

    // the command that started it, and one for all that it has now, find it
    for trials in ["4", "8"] {
        let again =
            [&["sweep", "idea.toml", "--device", "cpu"], &SPACE[..], &["--trials", trials, "--resume"]].concat();
        let (code, _, stderr) = run(with_short_beats(dir.command(&again)));
        assert_eq!(code, Some(0), "{stderr}");
        assert_says(&stderr, &["already complete"]);
    }
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
}

#[test]
fn wider_values_and_further_seeds_continue_without_training_again() {
    let (dir, fresh) = (dir_with_epochs(3), dir_with_epochs(3));
    let space = ["--space", "lr=0.001,0.003", "--seeds", "0,1", "--stack", "4", "--threads", "1", "--workers", "1"];
    let path = trained(&dir, &space);
    let (before, rows) = (snapshot(&path, &["S000"]), table(&path));

    let said = extended(&dir, &["--space", "lr=0.001,0.003,0.01,0.03"]);
    assert_says(&said, &["added 2 configurations (0002 to 0003): 4 trials in 1 stack", "lr=0.01", "lr=0.03"]);
    resumed(&dir);
    let wider = table(&path);
    assert_eq!(wider.len(), 5);
    let without_rank = |row: &String| row.split_once(',').unwrap().1.to_owned();
    let (rows, wider): (Vec<String>, Vec<String>) =
        (rows.iter().map(without_rank).collect(), wider.iter().map(without_rank).collect());
    assert!(rows.iter().all(|row| wider.contains(row)), "{rows:?} {wider:?}");

    let said = extended(&dir, &["--seeds", "1..2"]);
    assert_says(&said, &["added seed 2 of all configurations: 4 trials in 1 stack"]);
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert_says(&status, &["4 configurations, 3 seeds each", "8 of 12 done"]);
    resumed(&dir);
    assert_eq!(snapshot(&path, &["S000"]), before, "trained again");
    let all = ["--space", "lr=0.001,0.003,0.01,0.03", "--seeds", "0..2", "--threads", "1", "--workers", "1"];
    let expected = trained(&fresh, &all);
    // the stacks are others, which changes the last digits
    let means = |path: &Path| -> BTreeMap<String, f64> {
        let cells = table(path);
        let cells = cells.iter().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
        cells
            .map(|cells| {
                assert_eq!((cells[5], cells[6]), ("3", "3"), "{cells:?}");
                (cells[2].to_owned(), cells[3].parse().unwrap())
            })
            .collect()
    };
    let (found, expected) = (means(&path), means(&expected));
    assert_eq!(found.len(), 4);
    for (lr, mean) in &expected {
        assert!((found[lr] - mean).abs() < 1e-4, "lr {lr}: {} {mean}", found[lr]);
    }
    let (code, _, stderr) = sweep(&dir, &["best", "idea", "--toml", "best.toml"]);
    assert_eq!(code, Some(0), "{stderr}");
    let best = std::fs::read_to_string(dir.path("best.toml")).unwrap();
    assert_says(&best, &["seeds = [0, 1, 2]"]);
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
    assert_eq!(names(&path).iter().filter(|name| name.starts_with("extend-")).count(), 2);
}

#[test]
fn extensions_at_the_same_time_are_all_added_and_running_workers_train_them() {
    let dir = dir_with_epochs(200);
    let all = [&["sweep", "idea.toml", "--device", "cpu", "--trials", "4"], &SPACE[..]].concat();
    let mut training = start(with_short_beats(dir.command(&all)));
    wait_for(|| {
        super::super::sweep_run::sweeps(&dir).pop().is_some_and(|path| !names(&path.join("claims")).is_empty())
    });
    let path = only_sweep(&dir);
    let shown = path.display().to_string();
    let extend = || start(with_short_beats(dir.command(&["sweep", "extend", &shown, "--trials", "+2"])));
    let at_once: Vec<_> = (0..4).map(|_| extend()).collect();
    for mut process in at_once {
        assert_eq!(process.wait().unwrap().code(), Some(0));
    }
    assert_eq!(training.wait().unwrap().code(), Some(0));
    if names(&path.join("ended")).len() < 6 {
        resumed(&dir); // the workers had left before
    }
    let numbers: Vec<usize> = (1..=4)
        .map(|number| json(&path.join(format!("extend-{number}.json")))["configurations"].as_array().unwrap().len())
        .collect();
    assert_eq!(numbers, [2, 2, 2, 2]);
    assert_eq!(names(&path.join("ended")).len(), 6);
    assert_eq!(table(&path).len(), 1 + 4 + 8);
    let (code, stdout, _) = sweep(&dir, &["verify", &shown]);
    assert_eq!(code, Some(0), "{stdout}");
}

#[test]
fn an_extension_that_adds_nothing_or_changes_the_space_is_refused() {
    let dir = dir_with_epochs(1);
    let space = ["--space", "lr=log:1e-4..1e-1", "--space", "train.batch=32,64", "--trials", "2", "--seeds", "0"];
    let path = trained(&dir, &space);
    let shown = path.display().to_string();
    for (options, words) in [
        (&[][..], &["there is nothing to add", "`--trials +8`"][..]),
        (&["--trials", "0"], &["expected `+8` for eight further"]),
        (&["--trials", "-3"], &["expected `+8` for eight further"]),
        (&["--trials", "2"], &["the sweep already has 2 configurations", "`--trials +2`"]),
        (&["--trials", "+70000"], &["at most 65536 configurations"]),
        (&["--seeds", "0"], &["has all of these seeds"]),
        (&["--space", "train.epochs=1,2"], &["`train.epochs` is not in the space of the sweep", "another sweep"]),
        (&["--space", "train.bach=1,2"], &["there is no `bach` in `train`"]),
        (&["--space", "batch=64,128"], &["must include those of the sweep: `32` is missing"]),
        (&["--space", "batch=64,32"], &["there is nothing to add"]),
        (&["--space", "lr=log:1e-3..1"], &["must contain the range of the sweep, 0.0001 to 0.1"]),
        (&["--space", "lr=float:0..1"], &["of the same form", "use a wider range, such as `log:0.00001..0.1`"]),
        (&["--space", "lr=log:1e-5..1"], &["`--trials` is missing", "`--trials +8`"]),
        (&["--space", "batch=32,64,0", "--trials", "+4"], &["configuration `000", "`train.batch`"]),
    ] {
        let message = dir.error_message(&[&["sweep", "extend", &shown], options].concat());
        assert_says(&message, words);
    }
    assert_says(&dir.error_message(&["sweep", "extend", "nothing", "--trials", "+1"]), &["no sweep `nothing`"]);

    let grid = dir_with_epochs(1);
    trained(&grid, &["--space", "batch=32,64", "--method", "grid", "--seeds", "0"]);
    let message = grid.error_message(&["sweep", "extend", "idea", "--trials", "+1"]);
    assert_says(&message, &["`--trials` cannot extend a grid", "`--space`"]);
    assert_says(&extended(&grid, &["--space", "batch=16,32,64"]), &["added configuration 0002: 1 trial in 1 stack"]);
    let before = grid.files();
    let (code, stdout, stderr) = sweep(&grid, &["extend", "idea", "--seeds", "7", "--dry-run"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["would add seed 7 of all configurations: 3 trials"]);
    assert_eq!(grid.files(), before, "nothing is written");
}

#[test]
fn a_setting_in_two_conditions_is_widened_in_both() {
    let space = "[sweep]\nmethod = \"grid\"\nseeds = [0]\n[sweep.space]\n\
                 \"train.optimizer\" = [\"adam\", { sgd = { lr = 0.1 } }]\n\
                 [[sweep.when]]\nif = { \"train.optimizer\" = \"adam\" }\nspace = { \"train.batch\" = [16, 32] }\n\
                 [[sweep.when]]\nif = { \"train.optimizer\" = \"sgd\" }\nspace = { \"train.batch\" = [32, 64] }\n";
    let dir = super::super::dir(space);
    let path = trained(&dir, &["--workers", "1", "--threads", "1"]);
    for (values, words) in [
        ("batch=16,32", &["must include those of the sweep: `64` is missing"][..]),
        ("batch=32,64", &["must include those of the sweep: `16` is missing"]),
    ] {
        assert_says(&dir.error_message(&["sweep", "extend", "idea", "--space", values]), words);
    }
    let said = extended(&dir, &["--space", "batch=16,32,64"]);
    assert_says(&said, &["added 2 configurations (0004 to 0005)"]);
    resumed(&dir);
    let mut batches: Vec<(bool, String)> = table(&path)
        .iter()
        .skip(1)
        .map(|row| (row.contains("sgd"), row.split(',').rev().nth(7).unwrap().to_owned()))
        .collect();
    batches.sort();
    let all = [false, true].map(|is_sgd| ["16", "32", "64"].map(|batch| (is_sgd, batch.to_owned())));
    assert_eq!(batches, all.concat());
    let message = dir.error_message(&["sweep", "extend", "idea", "--space", "batch=16,32,64"]);
    assert_says(&message, &["the values of `train.batch` are those of the sweep: there is nothing to add"]);
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
}
