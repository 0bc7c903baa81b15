//! Runs that are started, stopped or killed, and their files.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{TestDir, idea_with, stderr};

/// Starts a run and waits until it prints this epoch.
pub fn start_until_epoch(
    dir: &TestDir,
    epoch: usize,
    arguments: &[&str],
) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = dir
        .command(&[&["exp", "idea.toml", "--device", "cpu"], arguments].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let start = format!("{epoch}/");
    assert!(stderr_lines.any(|line| line.trim_start_matches("epoch").trim_start().starts_with(&start)));
    (child, stderr_lines)
}

/// Directory of the latest run.
pub fn latest_run(dir: &TestDir) -> PathBuf {
    std::fs::canonicalize(dir.path("runs/idea/latest")).unwrap()
}

pub fn history(dir: &TestDir) -> Value {
    serde_json::from_slice(&std::fs::read(latest_run(dir).join("base-seed0.json")).unwrap()).unwrap()
}

pub fn history_in(dir: &TestDir, run: &Value) -> Value {
    let file = dir.path(run.as_str().unwrap()).join("base-seed0.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// A directory with [`IDEA`] and this number of epochs.
pub fn dir_with_epochs(epochs: usize) -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("epochs = 2", &format!("epochs = {epochs}")));
    dir
}

/// Error message of `resume` for a run that was killed.
pub fn resume_error(dir: &TestDir) -> String {
    let message = stderr(&dir.run(&["resume", "idea"]).code(2));
    assert!(format!("\n{message}").contains("\nerror: ") && !message.contains("panicked"), "{message}");
    message
}

/// A directory with a run that was killed after a checkpoint.
pub fn dir_with_killed_run() -> TestDir {
    let dir = dir_with_epochs(100_000);
    let (mut child, mut stderr_lines) = start_until_epoch(&dir, 3, &["--checkpoint", "1"]);
    assert!(stderr_lines.any(|line| line.starts_with("epoch ")));
    child.kill().unwrap();
    child.wait().unwrap();
    dir
}

/// A directory with a table and an experiment on it with this number of epochs.
pub fn dir_with_table(epochs: usize) -> TestDir {
    let dir = TestDir::new();
    dir.write("table.csv", table(0));
    let experiment = idea_with("epochs = 2", &format!("epochs = {epochs}"))
        .replace("[data.digits]", "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"");
    dir.write("idea.toml", experiment.replace("linear = 10 }", "linear = 2 }").replace("batch = 64", "batch = 40"));
    dir
}

pub fn table(shift: usize) -> String {
    let row = |row| format!("{}.5,{}\n", row + shift, if row % 2 == 0 { "a" } else { "b" });
    format!("x,y\n{}", (0..40).map(row).collect::<String>())
}
