//! A sweep in a test directory, and comparisons of sweeps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TestDir, idea_with};

/// Milliseconds between heartbeats of a sweep whose workers are not killed: none may seem dead when the disk is slow.
pub const UNDISTURBED_BEAT_MS: &str = "400";

/// Eight learning rates on two seeds, in four stacks.
pub const SPACE: [&str; 8] = [
    "--space",
    "train.optimizer.adam.lr=0.0001,0.0003,0.001,0.003,0.01,0.03,0.1,0.3",
    "--seeds",
    "0,1",
    "--stack",
    "4",
    "--threads",
    "1",
];

/// A directory with an experiment of this number of epochs, whose validation loss ranks the configurations.
pub fn dir_with_epochs(epochs: usize) -> TestDir {
    let dir = TestDir::new();
    let experiment = idea_with("epochs = 2", &format!("epochs = {epochs}"));
    dir.write("idea.toml", experiment.replace("[data.digits]", "[data.digits]\nsplit = { validation = 0.2 }"));
    dir
}

/// The command of a sweep with eight configurations.
pub fn command(dir: &TestDir, more: &[&str]) -> Command {
    command_of(dir, &SPACE, more)
}

/// The command of a sweep over another space.
pub fn command_of(dir: &TestDir, space: &[&str], more: &[&str]) -> Command {
    let all = [&["sweep", "idea.toml", "--device", "cpu"], space, more].concat();
    with_short_beats(dir.command(&all))
}

/// The command of a worker.
pub fn worker(dir: &TestDir, sweep: &Path) -> Command {
    with_short_beats(dir.command(&["sweep", "work", &sweep.display().to_string()]))
}

/// Heartbeats that are short, so that dead workers are replaced quickly.
pub fn with_short_beats(mut command: Command) -> Command {
    command.env("RUNNER_SWEEP_BEAT_MS", "100").env_remove("RUNNER_SWEEPS");
    command
}

/// Runs a command to its end, and returns its exit code and stderr.
pub fn run(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Runs a command of `runner sweep` on a directory.
pub fn sweep(dir: &TestDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    run(with_short_beats(dir.command(&[&["sweep"], arguments].concat())))
}

/// Trains a sweep without disturbance, and returns its directory.
#[track_caller]
pub fn trained(dir: &TestDir, more: &[&str]) -> PathBuf {
    trained_of(dir, &SPACE, more)
}

/// Trains a sweep over another space without disturbance, and returns its directory.
#[track_caller]
pub fn trained_of(dir: &TestDir, space: &[&str], more: &[&str]) -> PathBuf {
    let mut command = command_of(dir, space, more);
    command.env("RUNNER_SWEEP_BEAT_MS", UNDISTURBED_BEAT_MS);
    let (code, _, stderr) = run(command);
    assert_eq!(code, Some(0), "{stderr}");
    only_sweep(dir)
}

/// Trains a sweep over this space and removes what was trained: a sweep that is planned, and waits for workers.
#[track_caller]
pub fn planned_of(dir: &TestDir, space: &[&str]) -> PathBuf {
    let planned = trained_of(dir, space, &["--workers", "1"]);
    empty(&planned);
    planned
}

/// Removes all that was trained of a sweep.
pub fn empty(sweep: &Path) {
    for folder in ["stacks", "claims", "beats", "ended", "data", "workers"] {
        std::fs::remove_dir_all(sweep.join(folder)).unwrap();
        std::fs::create_dir(sweep.join(folder)).unwrap();
    }
    std::fs::remove_file(sweep.join("table.csv")).unwrap();
}

/// Removes the end and the claims of a stack, so that it is open again, but not its run directory.
pub fn reopen(sweep: &Path, stack: &str) {
    std::fs::remove_file(sweep.join(format!("ended/{stack}.json"))).unwrap();
    for claim in names(&sweep.join("claims")).iter().filter(|claim| claim.starts_with(stack)) {
        std::fs::remove_file(sweep.join("claims").join(claim)).unwrap();
    }
    let _ = std::fs::remove_file(sweep.join("table.csv"));
}

/// Directory of the only sweep.
#[track_caller]
pub fn only_sweep(dir: &TestDir) -> PathBuf {
    let sweeps = sweeps(dir);
    assert_eq!(sweeps.len(), 1, "{sweeps:?}");
    sweeps[0].clone()
}

/// Directories of the sweeps, without a directory that is being made: it has a hidden name, which soon changes.
pub fn sweeps(dir: &TestDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.path("sweeps/idea")).into_iter().flatten().map(Result::unwrap);
    let is_hidden = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with('.');
    let is_sweep = |path: &PathBuf| !is_hidden(path) && !path.is_symlink() && path.join("sweep.json").is_file();
    let mut sweeps: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_sweep).collect();
    sweeps.sort();
    sweeps
}

/// Starts a command in the background.
pub fn start(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits at most two minutes until a condition is true.
#[track_caller]
pub fn wait_for(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(120), "the condition is still false after two minutes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Names in a subdirectory of a sweep, without temporary files.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

#[track_caller]
pub fn json(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))).unwrap()
}

/// Histories, without times, and weights of all stacks, by stack and file.
#[track_caller]
pub fn files_of_trials(sweep: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for stack in names(&sweep.join("stacks")) {
        let folder = sweep.join("stacks").join(&stack);
        for name in names(&folder) {
            let path = folder.join(&name);
            let bytes = match &name {
                name if name.ends_with(".safetensors") || name.ends_with(".tree.json") => std::fs::read(&path).unwrap(),
                name if name.contains("-seed") && name.ends_with(".json") => without_times(json(&path)),
                _ => continue,
            };
            files.insert(format!("{stack}/{name}"), bytes);
        }
    }
    files
}

fn without_times(mut history: Value) -> Vec<u8> {
    for key in ["started", "seconds"] {
        history.as_object_mut().unwrap().remove(key);
    }
    for key in ["history", "best"] {
        // trees have no epochs
        let _ = history[key].as_object_mut().map(|values| values.remove("seconds"));
    }
    // the command names the number of workers
    if let Some(provenance) = history["provenance"].as_object_mut() {
        provenance.remove("command");
    }
    history.to_string().into_bytes()
}

/// Asserts that a sweep has the results of an undisturbed one, to the last bit, each trial once, and nothing temporary.
#[track_caller]
pub fn assert_same_results(found: &Path, expected: &Path) {
    assert_same_trials(found, expected, 8 * 2);
    assert_eq!(names(&found.join("ended")), ["S000.json", "S001.json", "S002.json", "S003.json"]);
}

/// Asserts that two sweeps have the same results of this number of trials.
#[track_caller]
pub fn assert_same_trials(found: &Path, expected: &Path, trials: usize) {
    let (found_files, expected_files) = (files_of_trials(found), files_of_trials(expected));
    let keys = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&found_files), keys(&expected_files));
    assert_eq!(found_files.len(), 2 * trials, "a history and a model of each trial");
    for (name, bytes) in &expected_files {
        assert!(found_files[name] == *bytes, "`{name}` differs");
    }
    let table = |sweep: &Path| std::fs::read_to_string(sweep.join("table.csv")).unwrap();
    assert_eq!(table(found), table(expected));
    assert_eq!(names(&found.join("ended")), names(&expected.join("ended")));
}
