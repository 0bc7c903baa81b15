//! `runner sweep verify`: each change of a file is found.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::sweep_run::{
    command, command_of, dir_with_epochs, json, names, only_sweep, run, start, sweep, sweeps, trained, wait_for,
    with_short_beats,
};
use crate::support::{TestDir, assert_says};

fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let mut value = json(path);
    change(&mut value);
    fs::write(path, serde_json::to_string(&value).unwrap()).unwrap();
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).unwrap();
    fs::write(path, before + text).unwrap();
}

fn copy_file(path: &Path, from: &str, to: &str) {
    fs::write(path.join(to), fs::read(path.join(from)).unwrap()).unwrap();
}

/// Copies a sweep; the name of its directory stays, since it has a checksum.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => fs::write(to.join(entry.file_name()), fs::read(entry.path()).unwrap()).unwrap(),
        }
    }
}

/// A change of the files of a sweep, and texts of its findings.
type Tampering = (&'static str, fn(&Path), &'static [&'static str]);

const TAMPERINGS: [Tampering; 31] = [
    (
        "a value of a configuration",
        |path| {
            edit(&path.join("sweep.json"), |record| {
                record["configurations"][3]["set"]["train.optimizer.adam.lr"] = json!(0.5)
            });
        },
        &["sweep.json: configuration `0003` must be lr=", "found lr=0.5", "sweep.json: modified"],
    ),
    (
        "the seed of the search",
        |path| edit(&path.join("sweep.json"), |record| record["search"]["seed"] = json!(7)),
        &["sweep.json: configuration `0000` must be", "sweep.json: modified"],
    ),
    (
        "a stack of the record",
        |path| edit(&path.join("sweep.json"), |record| record["stacks"][1]["configurations"] = json!(["0002"])),
        &["sweep.json: stack S001 must train 0002, 0003"],
    ),
    ("the form of the record", |path| append(&path.join("sweep.json"), "\n"), &["sweep.json: modified"]),
    ("sweep.toml", |path| append(&path.join("sweep.toml"), "# x\n"), &["sweep.toml: modified"]),
    (
        "sweep.toml is missing",
        |path| fs::remove_file(path.join("sweep.toml")).unwrap(),
        &["sweep.toml: cannot be read"],
    ),
    (
        "a configuration of an extension",
        |path| {
            edit(&path.join("extend-1.json"), |extension| {
                extension["configurations"][0]["set"]["train.optimizer.adam.lr"] = json!(0.9)
            });
        },
        &["extend-1.json: configuration `0008` must be", "found lr=0.9"],
    ),
    (
        "a stack of an extension",
        |path| edit(&path.join("extend-1.json"), |extension| extension["stacks"][0]["seeds"] = json!([0])),
        &["extend-1.json: stack S004 must train"],
    ),
    (
        "the best epoch of a history",
        |path| {
            edit(&path.join("stacks/S001/0002-seed0.json"), |history| history["best"]["val_loss"] = json!(0.001));
        },
        &["stacks/S001/0002-seed0.json: its result is", "stacks/S001/0002-seed0.json: modified"],
    ),
    (
        "another epoch of a history",
        |path| edit(&path.join("stacks/S001/0002-seed0.json"), |history| history["history"]["loss"][0] = json!(0.5)),
        &["stacks/S001/0002-seed0.json: modified after the end of the stack"],
    ),
    (
        "weights",
        |path| {
            let file = path.join("stacks/S002/0004-seed1.safetensors");
            let mut bytes = fs::read(&file).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(file, bytes).unwrap();
        },
        &["stacks/S002/0004-seed1.safetensors: modified"],
    ),
    (
        "a history is missing",
        |path| fs::remove_file(path.join("stacks/S000/0000-seed0.json")).unwrap(),
        &["stacks/S000/0000-seed0.json: cannot be read", "stacks/S000/0000-seed0.json: missing"],
    ),
    (
        "a file in a stack",
        |path| fs::write(path.join("stacks/S000/notes.txt"), "x").unwrap(),
        &["stacks/S000/notes.txt: unknown"],
    ),
    (
        "a stack is missing",
        |path| fs::remove_dir_all(path.join("stacks/S003")).unwrap(),
        &["stacks/S003: missing, although the stack has ended"],
    ),
    (
        "a stack of nobody",
        |path| fs::create_dir(path.join("stacks/S999")).unwrap(),
        &["stacks/S999: unknown: the sweep has no such stack"],
    ),
    (
        "the record of a run",
        |path| edit(&path.join("stacks/S000/run.json"), |run| run["overrides"] = json!([])),
        &["stacks/S000/run.json: it is not the finished run of this stack", "stacks/S000/run.json: modified"],
    ),
    ("a file of nobody", |path| fs::write(path.join("notes.txt"), "x").unwrap(), &["notes.txt: unknown"]),
    (
        "a claim is missing",
        |path| fs::remove_file(path.join("claims/S001.1")).unwrap(),
        &["claims/S001.1: missing", "stacks/S001: no worker has claimed"],
    ),
    (
        "a generation is missing",
        |path| copy_file(path, "claims/S001.1", "claims/S001.3"),
        &["claims/S001.2: missing: there are newer generations"],
    ),
    ("a claim of nobody", |path| copy_file(path, "claims/S001.1", "claims/S999.1"), &["claims/S999.1: unknown"]),
    (
        "a damaged claim",
        |path| fs::write(path.join("claims/S001.1"), "{").unwrap(),
        &["claims/S001.1: damaged: it is not a claim"],
    ),
    (
        "the worker of a claim",
        |path| edit(&path.join("claims/S001.1"), |claim| claim["worker"] = json!("other")),
        &["ended/S001.json: its worker is", "but the claim is of `other`"],
    ),
    ("a heartbeat of nobody", |path| fs::write(path.join("beats/S001.7"), "1\n").unwrap(), &["beats/S001.7: unknown"]),
    (
        "an end is missing",
        |path| fs::remove_file(path.join("ended/S001.json")).unwrap(),
        &["ended/S001.json: missing, although `table.csv` exists"],
    ),
    (
        "the result of a trial",
        |path| edit(&path.join("ended/S001.json"), |end| end["trials"][0]["value"] = json!(0.001)),
        &["-seed0.json: its result is", "table.csv: it differs from the results"],
    ),
    (
        "a trial twice",
        |path| edit(&path.join("ended/S001.json"), |end| end["trials"][1] = end["trials"][0].clone()),
        &["ended/S001.json: trial 0002-seed0 is listed 2 times", "trial 0002-seed1 is missing"],
    ),
    ("an end of nobody", |path| copy_file(path, "ended/S001.json", "ended/S999.json"), &["ended/S999.json: unknown"]),
    ("the table", |path| append(&path.join("table.csv"), "x\n"), &["table.csv: it differs from the results"]),
    (
        "the table is missing",
        |path| fs::remove_file(path.join("table.csv")).unwrap(),
        &["table.csv: missing, although all stacks have ended"],
    ),
    (
        "the checksum of the data",
        |path| {
            let data = fs::read_dir(path.join("data")).unwrap().next().unwrap().unwrap();
            edit(&data.path(), |data| data["sha256"] = json!("00"));
        },
        &[": its checksum is not the one in the histories"],
    ),
    (
        "a log",
        |path| {
            let log = fs::read_dir(path.join("workers")).unwrap().next().unwrap().unwrap();
            append(&log.path(), "x\n");
        },
        &["damaged: line "],
    ),
];

/// A sweep of eight configurations that was extended by one and by a seed.
fn extended(dir: &TestDir) -> PathBuf {
    let path = trained(dir, &["--workers", "2"]);
    let wider = "lr=0.0001,0.0003,0.001,0.003,0.01,0.03,0.1,0.3,0.02";
    let (code, _, stderr) = sweep(dir, &["extend", "idea", "--space", wider, "--seeds", "2"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = sweep(dir, &[&path.display().to_string(), "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    path
}

#[test]
fn every_change_of_a_file_is_found() {
    let dir = dir_with_epochs(2);
    let path = extended(&dir);
    let (code, stdout, stderr) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert_says(&stdout, &["verified: 9 configurations, ", "27 trials"]);
    let before = dir.files();
    for (number, (name, tamper, words)) in TAMPERINGS.into_iter().enumerate() {
        let tampered = dir.path(&format!("tampered/{number}")).join(path.file_name().unwrap());
        copy(&path, &tampered);
        tamper(&tampered);
        let (code, stdout, stderr) = sweep(&dir, &["verify", &tampered.display().to_string()]);
        assert_eq!(code, Some(1), "{name}: {stdout}{stderr}");
        for word in words {
            assert!(stdout.contains(word), "{name}: no `{word}` in\n{stdout}");
        }
    }
    fs::remove_dir_all(dir.path("tampered")).unwrap();
    assert_eq!(dir.files(), before, "nothing is written");
    let (code, stdout, _) = sweep(&dir, &["verify", "idea", "--json"]);
    assert_eq!(code, Some(0));
    let result: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&result["verified"], &result["findings"]), (&json!(true), &json!([])));
}

#[test]
fn an_interrupted_sweep_and_one_with_failures_are_verified_as_far_as_they_are() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    fs::remove_file(path.join("table.csv")).unwrap();
    fs::remove_file(path.join("ended/S002.json")).unwrap();
    let (code, stdout, stderr) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert_says(&stdout, &["3 of 4 stacks ended"]);
    assert_says(&stderr, &["the sweep has not ended"]);
    let (code, _, stderr) = run(with_short_beats(command(&dir, &["--resume"])));
    assert_eq!(code, Some(0), "{stderr}");
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "taken over by generation 2: {stdout}");
    assert_says(&dir.error_message(&["sweep", "verify", "nothing"]), &["no sweep `nothing`"]);
}

#[test]
fn a_running_sweep_is_verified_as_far_as_it_is() {
    let dir = dir_with_epochs(300);
    let space = ["--space", "lr=log:1e-4..1e-1", "--trials", "40", "--seeds", "0", "--stack", "1", "--threads", "1"];
    let mut training = start(command_of(&dir, &space, &["--workers", "2"]));
    wait_for(|| sweeps(&dir).pop().is_some_and(|path| !names(&path.join("ended")).is_empty()));
    let path = only_sweep(&dir).display().to_string();
    let mut checked = 0;
    while training.try_wait().unwrap().is_none() {
        let (code, stdout, stderr) = sweep(&dir, &["verify", &path]);
        // the table is written after the last stack has ended
        let is_ending = stdout.starts_with("table.csv: missing") && stdout.contains("\n1 problem; ");
        assert!(code == Some(0) || is_ending, "{stdout}{stderr}");
        checked += usize::from(stderr.contains("the sweep has not ended"));
    }
    assert!(checked > 0);
    assert_eq!(training.wait().unwrap().code(), Some(0));
    let (code, stdout, _) = sweep(&dir, &["verify", &path]);
    assert_eq!(code, Some(0), "{stdout}");
    assert_says(&stdout, &["verified: 40 configurations, 40 of 40 stacks ended"]);
}
