//! An interrupted run keeps its completed epochs and their weights.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{TestDir, assert_says, idea_with, metric, send};

#[test]
fn a_signal_stops_a_run_and_keeps_completed_epochs() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let dir = TestDir::new();
        let mut child = dir
            .command(&["exp", "digits_mlp", "--epochs", "100000", "--json", "--device", "cpu"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(stderr_lines.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("3/")));
        send(&child, signal);
        let last_line = stderr_lines.last().unwrap();
        let mut printed = String::new();
        child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_says(&last_line, &["interrupted"]);

        let printed: Value = serde_json::from_str(&printed).unwrap();
        let text = std::fs::read(dir.path("runs/digits_mlp/latest/base-seed0.json")).unwrap();
        let history: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(printed["histories"][0], history);
        assert_eq!(history["status"], "interrupted");
        let epochs = history["history"]["epoch"].as_array().unwrap().len();
        assert!((3..100_000).contains(&epochs), "{epochs}");
        assert_eq!(metric(&history, "loss").len(), epochs);
        assert!(dir.path("runs/digits_mlp/latest/base-seed0.safetensors").is_file());
    }
}

#[test]
fn an_interrupted_run_saves_the_weights_of_its_last_complete_epoch() {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("epochs = 2", "epochs = 100000\nkeep = \"last\""));
    let weights = |run: &Path| std::fs::read(run.join("base-seed0.safetensors")).unwrap();
    let mut child = dir
        .command(&["exp", "idea.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr_lines.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("4/")));
    send(&child, libc::SIGINT);
    stderr_lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let interrupted = std::fs::canonicalize(dir.path("runs/idea/latest")).unwrap();
    let text = std::fs::read(interrupted.join("base-seed0.json")).unwrap();
    let history: Value = serde_json::from_slice(&text).unwrap();
    let epochs = history["history"]["epoch"].as_array().unwrap().len().to_string();
    let uninterrupted = dir.exp(&["idea.toml", "--epochs", &epochs]);
    let uninterrupted = dir.path(uninterrupted["run"].as_str().unwrap());
    assert!(weights(&interrupted) == weights(&uninterrupted), "the weights are not those after epoch {epochs}");
}

#[test]
fn a_signal_stops_several_experiments_and_names_those_that_are_left() {
    let dir = TestDir::new();
    for name in ["long", "second", "third"] {
        dir.write(&format!("{name}.toml"), idea_with("epochs = 2", "epochs = 100000"));
    }
    let mut child = dir
        .command(&["exp", "long.toml", "second.toml", "third.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr_lines.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("3/")));
    send(&child, libc::SIGINT);
    let last_line = stderr_lines.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let command = "`runner exp second.toml third.toml --device cpu`";
    assert_says(&last_line, &["not started: `second.toml`, `third.toml`; run with", command]);
    assert!(dir.path("runs/long").is_dir() && !dir.path("runs/second").exists());
}
