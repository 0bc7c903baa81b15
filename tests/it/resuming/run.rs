//! A run that is started, stopped or killed, and the files it leaves.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{Place, idea_with, stderr};

/// Starts a run, and waits until it shows this epoch.
pub fn at_epoch(place: &Place, epoch: usize, arguments: &[&str]) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = place
        .command(&[&["exp", "idea.toml", "--device", "cpu"], arguments].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let start = format!("{epoch}/");
    assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with(&start)));
    (child, talk)
}

/// A run's folder.
pub fn latest(place: &Place) -> PathBuf {
    std::fs::canonicalize(place.path("runs/idea/latest")).unwrap()
}

pub fn history(place: &Place) -> Value {
    serde_json::from_slice(&std::fs::read(latest(place).join("base-seed0.json")).unwrap()).unwrap()
}

pub fn history_in(place: &Place, run: &Value) -> Value {
    let file = place.path(run.as_str().unwrap()).join("base-seed0.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// [`IDEA`] for so many epochs.
pub fn long(epochs: usize) -> Place {
    let place = Place::new();
    place.write("idea.toml", idea_with("epochs = 2", &format!("epochs = {epochs}")));
    place
}

/// What `resume` says when it refuses to go on with a run that was killed.
pub fn refused(place: &Place) -> String {
    let said = stderr(&place.run(&["resume", "idea"]).code(2));
    assert!(format!("\n{said}").contains("\nerror: ") && !said.contains("panicked"), "{said}");
    said
}

/// A run that was killed behind a checkpoint.
pub fn killed() -> Place {
    let place = long(100_000);
    let (mut child, mut talk) = at_epoch(&place, 3, &["--checkpoint", "1"]);
    assert!(talk.any(|line| line.starts_with("epoch ")));
    child.kill().unwrap();
    child.wait().unwrap();
    place
}

/// A table, and an experiment on it for so many epochs.
pub fn with_table(epochs: usize) -> Place {
    let place = Place::new();
    place.write("table.csv", table(0));
    let experiment = idea_with("epochs = 2", &format!("epochs = {epochs}"))
        .replace("[data.digits]", "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"");
    place.write("idea.toml", experiment.replace("linear = 10 }", "linear = 2 }").replace("batch = 64", "batch = 40"));
    place
}

pub fn table(shift: usize) -> String {
    let row = |row| format!("{}.5,{}\n", row + shift, if row % 2 == 0 { "a" } else { "b" });
    format!("x,y\n{}", (0..40).map(row).collect::<String>())
}
