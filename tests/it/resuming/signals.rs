//! Signals stop a run or write a checkpoint.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::run::{dir_with_epochs, history, history_in, latest_run, start_until_epoch};
use crate::support::{assert_says, curves, metric, send, stderr, stdout};

#[test]
fn a_signal_saves_a_checkpoint_and_resume_gives_the_same_result() {
    let uninterrupted = dir_with_epochs(5000).history(&["idea.toml"]);
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let dir = dir_with_epochs(5000);
        let (mut child, stderr_lines) = start_until_epoch(&dir, 3, &[]);
        send(&child, signal);
        let last_line = stderr_lines.last().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let run = latest_run(&dir);
        let name = run.file_name().unwrap().to_str().unwrap();
        assert_says(
            &last_line,
            &["interrupted after epoch ", &format!("continue with `runner resume runs/idea/{name}`")],
        );
        assert!(run.join("checkpoint.safetensors").is_file());
        let stopped_at = metric(&history(&dir), "loss").len();
        assert!((3..5000).contains(&stopped_at), "{stopped_at}");

        let resumed = dir.run(&["resume", "idea"]).code(0);
        assert_says(&stderr(&resumed), &[&format!("from the checkpoint of epoch {stopped_at}")]);
        let resumed = history(&dir);
        assert_eq!(resumed["status"], "completed");
        assert!(!run.join("checkpoint.safetensors").exists(), "the checkpoint of a finished run is removed");
        assert_eq!(curves(&resumed), curves(&uninterrupted));
        assert_eq!(
            (&resumed["best"]["epoch"], &resumed["test"]),
            (&uninterrupted["best"]["epoch"], &uninterrupted["test"])
        );
    }
}

#[test]
fn sigusr1_saves_a_checkpoint_without_stopping_the_run() {
    let dir = dir_with_epochs(100_000);
    let (mut child, mut stderr_lines) = start_until_epoch(&dir, 3, &["--checkpoint", "never"]);
    let file = latest_run(&dir).join("checkpoint.safetensors");
    assert!(!file.exists());
    send(&child, libc::SIGUSR1);
    assert!(stderr_lines.any(|line| line.contains("a checkpoint of epoch ")));
    assert!(file.is_file());
    assert!(stderr_lines.any(|line| line.starts_with("epoch ")), "the run continues");
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = dir.command(&["resume", "idea"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut resumed = resumed.unwrap();
    let mut stderr_lines = BufReader::new(resumed.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr_lines.any(|line| line.contains("from the checkpoint of epoch ")));
    resumed.kill().unwrap();
    resumed.wait().unwrap();
}

#[test]
fn runs_can_be_stopped_and_resumed_many_times() {
    let dir = dir_with_epochs(9000);
    let (mut child, _stderr_lines) = start_until_epoch(&dir, 2, &[]);
    send(&child, libc::SIGTERM);
    child.wait().unwrap();
    for epoch in [3000, 6000] {
        let mut resume = dir.command(&["resume", "idea", "--log-every", "1"]);
        let mut child = resume.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let shown = format!("epoch {epoch:>4}/");
        assert!(stderr_lines.any(|line| line.starts_with(&shown)));
        send(&child, libc::SIGTERM);
        stderr_lines.for_each(drop);
        assert_eq!(child.wait().unwrap().code(), Some(143));
    }
    dir.run(&["resume", "idea"]).code(0);
    assert_eq!(curves(&history(&dir)), curves(&dir_with_epochs(9000).history(&["idea.toml"])));
}

#[test]
fn exp_resume_continues_only_a_run_with_the_same_settings() {
    let dir = dir_with_epochs(5000);
    let (mut child, _stderr_lines) = start_until_epoch(&dir, 2, &[]);
    send(&child, libc::SIGINT);
    child.wait().unwrap();
    let other = dir.run(&["exp", "idea.toml", "--device", "cpu", "--resume", "--epochs", "3"]).code(0);
    assert_says(&stderr(&other), &["no run to resume: starting a new one"]);
    let same = dir.run(&["exp", "idea.toml", "--device", "cpu", "--resume"]).code(0);
    assert_says(&stderr(&same), &["resuming `runs/idea/"]);
    let files = dir.files();
    let again = dir.run(&["exp", "idea.toml", "--device", "cpu", "--resume", "--json"]).code(0);
    assert_says(&stderr(&again), &["is already complete"]);
    let printed: Value = serde_json::from_str(&stdout(&again)).unwrap();
    assert_eq!(printed["histories"][0], history_in(&dir, &printed["run"]));
    assert_eq!(dir.files(), files);
}
