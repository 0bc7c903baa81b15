//! A run that is interrupted keeps its completed epochs and their weights.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Place, assert_says, idea_with, metric, send};

#[test]
fn a_signal_ends_a_run_that_keeps_what_was_completed() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let place = Place::new();
        let mut child = place
            .command(&["exp", "digits_mlp", "--epochs", "100000", "--json", "--device", "cpu"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("3/")));
        send(&child, signal);
        let last_words = talk.last().unwrap();
        let mut printed = String::new();
        child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_says(&last_words, &["interrupted"]);

        let printed: Value = serde_json::from_str(&printed).unwrap();
        let text = std::fs::read(place.path("runs/digits_mlp/latest/base-seed0.json")).unwrap();
        let history: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(printed["histories"][0], history);
        assert_eq!(history["status"], "interrupted");
        let epochs = history["history"]["epoch"].as_array().unwrap().len();
        assert!((3..100_000).contains(&epochs), "{epochs}");
        assert_eq!(metric(&history, "loss").len(), epochs);
        assert!(place.path("runs/digits_mlp/latest/base-seed0.safetensors").is_file());
    }
}

#[test]
fn an_interrupted_run_leaves_the_weights_of_its_last_whole_epoch() {
    let place = Place::new();
    place.write("idea.toml", idea_with("epochs = 2", "epochs = 100000\nkeep = \"last\""));
    let weights = |run: &Path| std::fs::read(run.join("base-seed0.safetensors")).unwrap();
    let mut child = place
        .command(&["exp", "idea.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("4/")));
    send(&child, libc::SIGINT);
    talk.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let interrupted = std::fs::canonicalize(place.path("runs/idea/latest")).unwrap();
    let text = std::fs::read(interrupted.join("base-seed0.json")).unwrap();
    let history: Value = serde_json::from_slice(&text).unwrap();
    let epochs = history["history"]["epoch"].as_array().unwrap().len().to_string();
    let whole = place.exp(&["idea.toml", "--epochs", &epochs]);
    let whole = place.path(whole["run"].as_str().unwrap());
    assert!(weights(&interrupted) == weights(&whole), "the weights are not those after epoch {epochs}");
}
