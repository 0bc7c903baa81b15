//! Workers that get signals: they are suspended, or ended while they load data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sweep_run::{
    assert_same_results, dir_with_epochs, empty, files_of_trials, json, names, planned_of, run, start, trained,
    trained_of, wait_for, worker,
};
use crate::disk::faulty_disk::library;
use crate::support::{TestDir, idea_with, send};

/// Lets a call of a worker take long or wait; see `faulty_disk.c`.
fn with_fault(command: &mut Command, under: &Path, faults: &[(&str, &str)]) {
    command.env("LD_PRELOAD", library()).env("FAULT_UNDER", under);
    command.envs(faults.iter().map(|(name, value)| (format!("FAULT_{name}"), value)));
}

/// Returns how often a worker opens a data file until it trains the only stack of a sweep, which is planned again afterwards.
pub fn reads_before_training(dir: &TestDir, sweep: &Path, file: &str) -> usize {
    let log = dir.data_path("reads");
    let mut counted = worker(dir, sweep);
    with_fault(&mut counted, &dir.path(""), &[("CALL", "read"), ("MATCH", file), ("DELAY", "1")]);
    counted.env("FAULT_LOG", &log);
    let (code, _, stderr) = run(counted);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(names(&sweep.join("ended")).len(), 1);
    empty(sweep);
    std::fs::read_to_string(&log).unwrap().lines().count()
}

/// Contents of all files of a sweep that workers share. Temporary files and locks belong to one process; their names begin
/// with a period.
fn shared_files(sweep: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["claims", "beats", "ended", "data", "stacks"].map(|name| sweep.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.file_name().unwrap().to_string_lossy().starts_with('.') => {}
                false => drop(files.insert(path.clone(), std::fs::read(&path).unwrap())),
            }
        }
    }
    files
}

#[test]
fn a_worker_that_was_suspended_for_longer_than_its_lease_changes_nothing_more() {
    let (dir, undisturbed) = (dir_with_epochs(400), dir_with_epochs(400));
    let expected = trained(&undisturbed, &["--workers", "1"]);
    let planned = planned_of(&dir, &super::sweep_run::SPACE);
    let mut suspended = worker(&dir, &planned);
    suspended.args(["--checkpoint", "1"]);
    let mut suspended = start(suspended);
    wait_for(|| {
        let stacks = names(&planned.join("stacks"));
        stacks.iter().any(|stack| planned.join("stacks").join(stack).join("checkpoint.safetensors").exists())
    });
    send(&suspended, libc::SIGSTOP);
    let ended = names(&planned.join("ended")).len();
    assert!(ended < 4, "it was suspended before the end");
    let (code, _, stderr) = run(worker(&dir, &planned));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(names(&planned.join("claims")).iter().any(|claim| claim.ends_with(".2")), "a stack was taken over");
    let before = shared_files(&planned);
    send(&suspended, libc::SIGCONT);
    assert_eq!(suspended.wait().unwrap().code(), Some(0));
    let after = shared_files(&planned);
    let missing: Vec<_> = before.keys().filter(|path| !after.contains_key(*path)).collect();
    let changed: Vec<_> =
        after.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes)).map(|(path, _)| path).collect();
    assert_eq!((missing, changed), (Vec::new(), Vec::new()), "missing files, and new or changed files");
    assert_same_results(&planned, &expected);
    let log = super::sweep_run::names(&planned.join("workers"));
    let lost = log.iter().filter(|name| {
        let lines = std::fs::read_to_string(planned.join("workers").join(name)).unwrap();
        lines.contains("\"lease_lost\"")
    });
    assert_eq!(lost.count(), 1);
}

/// A directory with an experiment on a table of one stack.
fn dir_with_table() -> TestDir {
    let dir = TestDir::new();
    let data = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\nsplit = { validation = 0.25, random_state = 0 }";
    dir.write("idea.toml", idea_with("[data.digits]", data).replace("{ linear = 10 }", "{ linear = 2 }"));
    let row = |number: usize| {
        format!("{},{},{}\n", number % 11, number % 5, if number.is_multiple_of(3) { "yes" } else { "no" })
    };
    dir.write("table.csv", (0..60).fold("a,b,y\n".to_owned(), |text, number| text + &row(number)));
    dir
}

#[test]
fn a_worker_that_a_signal_ends_while_it_loads_data_releases_its_lease() {
    const SPACE: [&str; 6] = ["--space", "lr=0.001,0.01", "--stack", "2", "--threads", "1"];
    let dir = dir_with_table();
    let planned = trained_of(&dir, &SPACE, &["--workers", "1"]);
    let expected = files_of_trials(&planned);
    empty(&planned);
    let reads = reads_before_training(&dir, &planned, "table.csv");
    for (generation, signal) in [(1, libc::SIGTERM), (2, libc::SIGINT), (3, libc::SIGHUP)] {
        let gate = dir.data_path(&format!("gate{generation}"));
        let mut held = worker(&dir, &planned);
        let (after, shown) = ((reads - 1).to_string(), gate.display().to_string());
        let faults = [("CALL", "read"), ("MATCH", "table.csv"), ("AFTER", after.as_str()), ("HOLD", shown.as_str())];
        with_fault(&mut held, &dir.path(""), &faults);
        let mut child = start(held);
        wait_for(|| gate.with_extension("reached").exists());
        let beat = planned.join(format!("beats/S000.{generation}"));
        wait_for(|| beat.exists());
        send(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal), "it does not wait for the data");
        assert_eq!(std::fs::read_to_string(&beat).unwrap(), "released\n");
    }
    // three that leave are no failure of the stack
    let (code, _, stderr) = run(worker(&dir, &planned));
    assert_eq!(code, Some(0), "{stderr}");
    let end = json(&planned.join("ended/S000.json"));
    assert_eq!((&end["generation"], end.get("failure")), (&4.into(), None));
    assert!(files_of_trials(&planned) == expected);
}
