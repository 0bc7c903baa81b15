//! Signals stop a run or write a checkpoint.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::run::{at_epoch, history, history_in, latest, long};
use crate::support::{assert_says, curves, metric, send, stderr, stdout};

#[test]
fn a_signal_writes_a_checkpoint_and_resume_goes_on_to_the_same_end() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let place = long(400);
        let (mut child, talk) = at_epoch(&place, 3, &[]);
        send(&child, signal);
        let last_words = talk.last().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let run = latest(&place);
        let name = run.file_name().unwrap().to_str().unwrap();
        assert_says(
            &last_words,
            &["interrupted after epoch ", &format!("continue with `runner resume runs/idea/{name}`")],
        );
        assert!(run.join("checkpoint.safetensors").is_file());
        let stopped_at = metric(&history(&place), "loss").len();
        assert!((3..400).contains(&stopped_at), "{stopped_at}");

        let resumed = place.run(&["resume", "idea"]).code(0);
        assert_says(&stderr(&resumed), &[&format!("from the checkpoint of epoch {stopped_at}")]);
        let resumed = history(&place);
        assert_eq!(resumed["status"], "completed");
        assert!(!run.join("checkpoint.safetensors").exists(), "it is of no use any more");
        let one_go = long(400).history(&["idea.toml"]);
        assert_eq!(curves(&resumed), curves(&one_go));
        assert_eq!((&resumed["best"]["epoch"], &resumed["test"]), (&one_go["best"]["epoch"], &one_go["test"]));
    }
}

#[test]
fn sigusr1_writes_a_checkpoint_and_the_run_goes_on() {
    let place = long(100_000);
    let (mut child, mut talk) = at_epoch(&place, 3, &["--checkpoint", "never"]);
    let file = latest(&place).join("checkpoint.safetensors");
    assert!(!file.exists());
    send(&child, libc::SIGUSR1);
    assert!(talk.any(|line| line.contains("a checkpoint of epoch ")));
    assert!(file.is_file());
    assert!(talk.any(|line| line.starts_with("epoch ")), "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = place.command(&["resume", "idea"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut resumed = resumed.unwrap();
    let mut talk = BufReader::new(resumed.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.contains("from the checkpoint of epoch ")));
    resumed.kill().unwrap();
    resumed.wait().unwrap();
}

#[test]
fn a_run_may_be_stopped_and_resumed_many_times() {
    let place = long(3000);
    let (mut child, _talk) = at_epoch(&place, 2, &[]);
    send(&child, libc::SIGTERM);
    child.wait().unwrap();
    for epoch in [40, 90] {
        let mut child =
            place.command(&["resume", "idea"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let shown = format!("epoch {epoch:>4}/");
        assert!(talk.any(|line| line.starts_with(&shown)));
        send(&child, libc::SIGTERM);
        talk.for_each(drop);
        assert_eq!(child.wait().unwrap().code(), Some(143));
    }
    place.run(&["resume", "idea"]).code(0);
    assert_eq!(curves(&history(&place)), curves(&long(3000).history(&["idea.toml"])));
}

#[test]
fn exp_with_resume_goes_on_with_the_same_run_and_with_no_other() {
    let place = long(200);
    let (mut child, _talk) = at_epoch(&place, 2, &[]);
    send(&child, libc::SIGINT);
    child.wait().unwrap();
    let other = place.run(&["exp", "idea.toml", "--device", "cpu", "--resume", "--epochs", "3"]).code(0);
    assert_says(&stderr(&other), &["no run to resume: starting a new one"]);
    let same = place.run(&["exp", "idea.toml", "--device", "cpu", "--resume"]).code(0);
    assert_says(&stderr(&same), &["going on with `runs/idea/"]);
    let files = place.files();
    let again = place.run(&["exp", "idea.toml", "--device", "cpu", "--resume", "--json"]).code(0);
    assert_says(&stderr(&again), &["is already complete"]);
    let printed: Value = serde_json::from_str(&stdout(&again)).unwrap();
    assert_eq!(printed["histories"][0], history_in(&place, &printed["run"]));
    assert_eq!(place.files(), files);
}
