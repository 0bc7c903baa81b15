//! `runner exp --workers N`: several processes train the stacks of a run, and its results are those of one process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::run::latest_run;
use crate::support::{TestDir, assert_says, idea_with, send};

/// Three variants of two shapes on four seeds and three folds, in 18 stacks.
const VARIANTS: &str = "\n[[variants]]\nname = \"wide\"\nset = { \"network.layers\" = [{ linear = 24 }, \"relu\", { linear = 10 }] }\n\
    [[variants]]\nname = \"fast\"\nset = { \"train.optimizer\" = { adam = { lr = 0.01 } } }\n\
    [[variants]]\nname = \"dropout\"\nset = { \"network.layers\" = [{ linear = 16 }, { dropout = 0.2 }, { linear = 10 }] }\n\
    [[expect]]\nmetric = \"best.val_loss\"\nover = \"mean\"\nat_most = 9.0\n\
    [[expect]]\nmetric = \"best.val_loss\"\nover = \"mean\"\nat_most = 1e-9\nvariant = \"fast\"\n";

/// Options of all runs.
const OPTIONS: [&str; 8] = ["exp", "idea.toml", "--seeds", "0..3", "--stack", "2", "--threads", "1"];

/// A directory with an experiment with these folds and this number of epochs.
fn dir_with(folds: usize, epochs: usize) -> TestDir {
    let dir = TestDir::new();
    let split = format!("[data.digits]\nsplit = {{ folds = {folds}, test = 0.2, random_state = 1 }}");
    let text = idea_with("epochs = 2", &format!("epochs = {epochs}")).replace("[data.digits]", &split);
    dir.write("idea.toml", text + VARIANTS);
    dir
}

fn command(dir: &TestDir, more: &[&str]) -> Command {
    dir.command(&[&OPTIONS[..], more].concat())
}

/// Runs a command to its end, and returns its exit code, stdout and stderr.
fn run(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Trains without disturbance in one process, and returns the run directory.
fn trained_by_one(dir: &TestDir) -> PathBuf {
    let (code, _, stderr) = run(command(dir, &["--device", "cpu"]));
    assert_eq!(code, Some(0), "{stderr}");
    latest_run(dir)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Names and contents of the files of a run, without times and memory.
fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(run).unwrap().map(Result::unwrap);
    let content = |path: PathBuf, name: &str| match name {
        "run.json" => {
            let record = json(&path);
            [&record["finished"], &record["groups"], &record["options"]].map(Value::to_string).concat().into_bytes()
        }
        name if name.ends_with(".json") && name.contains("-seed") && !name.ends_with(".tree.json") => {
            let mut history = json(&path);
            for key in ["started", "seconds"] {
                history.as_object_mut().unwrap().remove(key);
            }
            for key in ["history", "best"] {
                let _ = history[key].as_object_mut().map(|values| values.remove("seconds"));
            }
            history.to_string().into_bytes()
        }
        _ if path.is_dir() => Vec::new(),
        // plots and final checkpoints have times
        name if name.ends_with(".svg") || name.ends_with(".checkpoint") => Vec::new(),
        _ => std::fs::read(&path).unwrap(),
    };
    let named = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name.clone(), content(entry.path(), &name))
    };
    entries.map(named).collect()
}

#[track_caller]
fn assert_same_run(found: &Path, expected: &Path) {
    let (found, expected) = (files(found), files(expected));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(expected.keys().any(|name| name.ends_with(".safetensors") || name.ends_with(".tree.json")));
    for (name, bytes) in &expected {
        let (a, b) = (String::from_utf8_lossy(&found[name]), String::from_utf8_lossy(bytes));
        assert!(found[name] == *bytes, "`{name}` differs:\n{:.2000}\n{:.2000}", a, b);
    }
}

/// Starts a run with workers in the background, and waits until this number of stacks has a checkpoint.
fn start(mut command: Command, dir: &TestDir, stacks: usize) -> (Child, PathBuf) {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(|| dir.path("runs/idea/latest").exists() && saved(&latest_run(dir)).len() >= stacks);
    (child, latest_run(dir))
}

/// Directories of the stacks that have a checkpoint.
fn saved(run: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(run.join("workers")).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.join("checkpoint.safetensors").exists()).collect()
}

#[track_caller]
fn wait_for(holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(120), "the condition is still false after two minutes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn workers_train_what_one_process_trains() {
    let (one, two, three) = (dir_with(3, 4), dir_with(3, 4), dir_with(3, 4));
    let expected = trained_by_one(&one);
    for (dir, options) in [(&two, &["--device", "cpu", "--workers", "2"][..]), (&three, &["--devices", "cpu,cpu,cpu"])]
    {
        let (code, stdout, stderr) = run(command(dir, &[options, &["--strict", "--verbose"]].concat()));
        assert_eq!(code, Some(1), "the second expectation is missed: {stderr}");
        assert_says(&stdout, &["wide", "fast", "dropout"]);
        assert_says(&stderr, &["stack 1 of ", "missed: "]);
        assert_same_run(&latest_run(dir), &expected);
        // the time from the first worker to the last, not the sum over all
        let seconds = json(&latest_run(dir).join("run.json"))["training_seconds"].as_f64();
        let (_, listed, _) = run(dir.command(&["runs", "--json"]));
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert!(seconds.is_some_and(|seconds| seconds > 0.0));
        assert_eq!(listed.pointer("/runs/0/seconds").or(listed.pointer("/0/seconds")).and_then(Value::as_f64), seconds);
    }
    assert!(json(&expected.join("run.json")).get("training_seconds").is_none());
    // it is complete
    let (code, _, stderr) = run(command(&two, &["--device", "cpu", "--workers", "2", "--resume"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["is already complete"]);
    for check in [&["eval", "idea"][..], &["reproduce", "idea"]] {
        let (code, _, stderr) = run(two.command(check));
        assert_eq!(code, Some(0), "{check:?}: {stderr}");
    }
}

#[test]
fn workers_fit_the_trees_of_one_process() {
    let make = || {
        let dir = TestDir::new();
        let text = "title = \"t\"\n[data.digits]\nsplit = { folds = 3, random_state = 1 }\n[tree]\n\
                    [[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"tree.max_depth\" = 3 }\n";
        dir.write("idea.toml", text);
        dir
    };
    let (one, two) = (make(), make());
    let train = |dir: &TestDir, more: &[&str]| {
        let (code, _, stderr) = run(dir.command(&[&["exp", "idea.toml", "--threads", "1"], more].concat()));
        assert_eq!(code, Some(0), "{stderr}");
        latest_run(dir)
    };
    let expected = train(&one, &["--device", "cpu"]);
    assert_same_run(&train(&two, &["--devices", "cpu,cpu"]), &expected);
}

#[test]
fn interrupted_workers_save_checkpoints_and_the_run_continues_with_the_same_results() {
    let (dir, undisturbed) = (dir_with(2, 600), dir_with(2, 600));
    let workers = ["--devices", "cpu,cpu", "--checkpoint", "1"];
    let (mut child, path) = start(command(&dir, &workers), &dir, 2);
    send(&child, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!json(&path.join("run.json"))["finished"].as_bool().unwrap());
    assert_eq!(saved(&path).len(), 2, "a checkpoint of each worker");

    // the process is killed: its workers save checkpoints and leave
    let (mut child, _) = start(command(&dir, &[&workers[..], &["--resume"]].concat()), &dir, 2);
    wait_for(|| saved(&path).iter().filter(|part| part.join(".lock").exists()).count() == 2);
    child.kill().unwrap();
    child.wait().unwrap();

    let (code, _, stderr) = run(dir.command(&["resume", "idea"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["resuming `", "each stack from its checkpoint", " done on cpu: "]);
    assert_same_run(&path, &trained_by_one(&undisturbed));
}

#[test]
fn a_killed_worker_is_replaced() {
    let (dir, undisturbed) = (dir_with(2, 400), dir_with(2, 400));
    let (mut child, path) = start(command(&dir, &["--devices", "cpu,cpu", "--checkpoint", "1"]), &dir, 2);
    let process = saved(&path).iter().find_map(|part| {
        let text = std::fs::read_to_string(part.join(".lock")).ok()?;
        text.split_whitespace().next()?.parse::<i32>().ok()
    });
    kill(process.expect("a worker that trains"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_same_run(&path, &trained_by_one(&undisturbed));
}

#[expect(unsafe_code, reason = "the standard library sends no signals")]
fn kill(process: i32) {
    // SAFETY: the call touches no memory; the process is a worker of this test.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

#[test]
fn workers_continue_a_run_that_one_process_has_begun() {
    let (dir, undisturbed) = (dir_with(2, 400), dir_with(2, 400));
    let mut begun = command(&dir, &["--device", "cpu", "--checkpoint", "1"]);
    let mut child = begun.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(|| dir.path("runs/idea/latest/checkpoint.safetensors").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, _, stderr) = run(command(&dir, &["--devices", "cpu,cpu", "--resume"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_same_run(&latest_run(&dir), &trained_by_one(&undisturbed));
}

#[test]
fn a_time_limit_ends_all_workers() {
    let dir = dir_with(2, 100_000);
    let (code, _, stderr) = run(command(&dir, &["--devices", "cpu,cpu", "--max-time", "6s"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["time limit: stopped after epoch "]);
    let path = latest_run(&dir);
    let histories = files(&path).into_keys().filter(|name| name.contains("-seed") && name.ends_with(".json"));
    let statuses: Vec<Value> = histories.map(|name| json(&path.join(name))["status"].clone()).collect();
    assert_eq!(statuses, vec![Value::from("time_limit"); 4], "two stacks of two models");
}

#[test]
fn a_run_of_one_stack_says_how_to_split_it_and_bad_devices_are_refused() {
    let dir = TestDir::with_idea();
    let exp = |more: &[&str]| run(dir.command(&[&["exp", "idea.toml", "--seeds", "0..3"], more].concat()));
    for (options, words) in [
        (&["--devices", "cuda:7,cpu"][..], &["cuda:7"][..]),
        (&["--devices", "cpu,cpu", "--workers", "3"], &["`--workers` is for one device, but `--devices` names 2"]),
        (&["--workers", "0"], &["--workers"]),
    ] {
        let (code, _, stderr) = exp(options);
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, words);
    }
    assert!(!dir.path("runs").exists());
    let (code, _, stderr) = exp(&["--devices", "cpu,cpu", "--threads", "1"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["all 4 models are in one stack, which one worker trains: split it with `--stack 2`"]);
}
