//! A run whose files can be changed or replaced. Commands must reject it quickly.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::TestDir;

/// A directory with a run of [`IDEA`] in `runs/idea/latest`.
pub fn dir_with_run() -> TestDir {
    let dir = TestDir::with_idea();
    dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    dir
}

pub const HISTORY: &str = "runs/idea/latest/base-seed0.json";
pub const WEIGHTS: &str = "runs/idea/latest/base-seed0.safetensors";

/// Edits the history of the run.
pub fn edit_history(dir: &TestDir, edit: impl FnOnce(&mut Value)) {
    let mut history: Value = serde_json::from_slice(&std::fs::read(dir.path(HISTORY)).unwrap()).unwrap();
    edit(&mut history);
    dir.write(HISTORY, history.to_string());
}

/// Replaces a file, or the target of a link, by a link.
#[cfg(unix)]
pub fn replace_with_link(dir: &TestDir, name: &str, to: impl AsRef<Path>) {
    let path = dir.path(name);
    let _ = std::fs::remove_file(&path);
    std::os::unix::fs::symlink(to, path).unwrap();
}

/// Error messages of all commands that read a history. Each must come quickly.
#[track_caller]
pub fn errors_of_all_commands(dir: &TestDir, history: &str) -> Vec<String> {
    let commands: [&[&str]; 6] = [
        &["eval", history],
        &["predict", history, "--index", "0"],
        &["report", history, "-o", "page.html"],
        &["plot", "curves", history, "-o", "picture.svg"],
        &["export", history, "--csv"],
        &["compare", history, history],
    ];
    commands.iter().map(|arguments| within_a_minute(|| dir.error_message(arguments))).collect()
}

/// Asserts that an action does not block on a file without data.
#[track_caller]
pub fn within_a_minute<T>(what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = what();
    assert!(start.elapsed() < Duration::from_secs(60), "the action took {:?}", start.elapsed());
    done
}

/// Replaces a file by a named pipe without a writer.
#[cfg(unix)]
pub fn replace_with_pipe(dir: &TestDir, name: &str) {
    let _ = std::fs::remove_file(dir.path(name));
    assert!(std::process::Command::new("mkfifo").arg(dir.path(name)).status().unwrap().success());
}

pub const RECORD: &str = "runs/idea/latest/run.json";
pub const CHECKPOINT: &str = "runs/idea/latest/checkpoint.safetensors";

/// A directory with a run that is unfinished according to its record.
pub fn dir_with_unfinished_run() -> TestDir {
    let dir = dir_with_run();
    edit_record(&dir, |record| {
        record["finished"] = json!(false);
        record["groups"][0]["stacks"][0]["state"] = json!("waiting");
    });
    dir
}

/// Edits the record of the run.
pub fn edit_record(dir: &TestDir, edit: impl FnOnce(&mut Value)) {
    let mut record: Value = serde_json::from_slice(&std::fs::read(dir.path(RECORD)).unwrap()).unwrap();
    edit(&mut record);
    dir.write(RECORD, record.to_string());
}
