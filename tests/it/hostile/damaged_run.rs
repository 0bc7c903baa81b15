//! A run whose files can be changed or replaced, and commands that must refuse it quickly.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Place;

/// A run of [`IDEA`] in `runs/idea/latest`.
pub fn place_with_run() -> Place {
    let place = Place::with_idea();
    place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    place
}

pub const HISTORY: &str = "runs/idea/latest/base-seed0.json";
pub const WEIGHTS: &str = "runs/idea/latest/base-seed0.safetensors";

/// The history of the run with something of it changed.
pub fn change(place: &Place, change: impl FnOnce(&mut Value)) {
    let mut history: Value = serde_json::from_slice(&std::fs::read(place.path(HISTORY)).unwrap()).unwrap();
    change(&mut history);
    place.write(HISTORY, history.to_string());
}

/// The file, or what a name leads to, is replaced by a link.
#[cfg(unix)]
pub fn link(place: &Place, name: &str, to: impl AsRef<Path>) {
    let path = place.path(name);
    let _ = std::fs::remove_file(&path);
    std::os::unix::fs::symlink(to, path).unwrap();
}

/// What commands say that read a history, each in a few seconds, when they refuse it.
#[track_caller]
pub fn refused_by_all(place: &Place, history: &str) -> Vec<String> {
    let commands: [&[&str]; 6] = [
        &["eval", history],
        &["predict", history, "--index", "0"],
        &["report", history, "-o", "page.html"],
        &["plot", "curves", history, "-o", "picture.svg"],
        &["export", history, "--csv"],
        &["compare", history, history],
    ];
    commands.iter().map(|arguments| quickly(|| place.refusal(arguments))).collect()
}

/// What is done does not wait for a file that never comes.
#[track_caller]
pub fn quickly<T>(what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = what();
    assert!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
    done
}

/// A named pipe that nobody writes to.
#[cfg(unix)]
pub fn pipe(place: &Place, name: &str) {
    let _ = std::fs::remove_file(place.path(name));
    assert!(std::process::Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

pub const RECORD: &str = "runs/idea/latest/run.json";
pub const CHECKPOINT: &str = "runs/idea/latest/checkpoint.safetensors";

/// A run of which nothing is done by its record.
pub fn place_to_go_on_with() -> Place {
    let place = place_with_run();
    change_record(&place, |record| {
        record["finished"] = json!(false);
        record["groups"][0]["stacks"][0]["state"] = json!("waiting");
    });
    place
}

/// The record of the run with something of it changed.
pub fn change_record(place: &Place, change: impl FnOnce(&mut Value)) {
    let mut record: Value = serde_json::from_slice(&std::fs::read(place.path(RECORD)).unwrap()).unwrap();
    change(&mut record);
    place.write(RECORD, record.to_string());
}
