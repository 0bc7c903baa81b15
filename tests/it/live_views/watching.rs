//! `runner watch` without a terminal: lines up to the end of the run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{TestDir, assert_says, idea_with, send, stderr, stdout};

/// A directory with an experiment of this number of epochs.
fn dir_with_epochs(epochs: usize) -> TestDir {
    let dir = TestDir::new();
    let split = "[data.digits]\nsplit = { validation = 0.2, random_state = 1 }";
    dir.write("idea.toml", idea_with("epochs = 2", &format!("epochs = {epochs}")).replace("[data.digits]", split));
    dir
}

/// Starts a command whose output is read.
fn start(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts a run that lasts, and waits until its directory has a file of its epochs.
fn start_run(dir: &TestDir) -> Child {
    let mut command = dir.command(&["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let has_epochs = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        file.ends_with("live.jsonl") && text.lines().count() > 3
    };
    wait_for(|| dir.files().iter().any(has_epochs));
    child
}

#[track_caller]
fn wait_for(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_finished_run_and_a_finished_sweep_are_one_line() {
    let dir = dir_with_epochs(3);
    dir.run(&["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1"]).code(0);
    for arguments in [&["watch"][..], &["watch", "idea"], &["watch", "idea.toml"], &["watch", "runs/idea/latest"]] {
        let shown = dir.run(arguments).code(0);
        let line = stdout(&shown);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert_says(&line, &["complete: 2 of 2 trials done", "loss validation ", "loss training "]);
        assert_says(&stderr(&shown), &["idea: 20", "2 trials, cpu", "best val_loss 0."]);
    }
    let space = ["sweep", "idea.toml", "--device", "cpu", "--space", "train.optimizer.adam.lr=0.001,0.01"];
    dir.run(&space).code(0);
    let shown = dir.run(&["watch"]).code(0);
    assert_says(&stdout(&shown), &["complete: 2 of 2 done", "val_loss 0."]);
    assert_says(&stderr(&shown), &["idea: sweep 20", "2 configurations, 2 trials, 0 workers", "best ", "lr=0.0"]);
    assert_eq!(stdout(&dir.run(&["watch", "sweeps/idea/latest"]).code(0)), stdout(&shown));
}

#[test]
fn lines_follow_a_run_to_its_end() {
    let dir = dir_with_epochs(100_000);
    let mut run = start_run(&dir);
    let mut watch = start(dir.command(&["watch"]));
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    for _ in 0..2 {
        let line = lines.next().unwrap();
        assert_says(&line, &["running: epoch ", "/100000", "loss validation 0.", " left"]);
    }
    send(&run, libc::SIGINT);
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let rest: Vec<String> = lines.collect();
    assert_says(rest.last().unwrap(), &["interrupted: epoch "]);
    assert_eq!(watch.wait().unwrap().code(), Some(0));
    let mut message = String::new();
    watch.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_says(&message, &["best val_loss 0.", "continue with `runner resume "]);
}

#[test]
fn the_best_value_of_a_run_in_training_is_that_of_the_monitored_metric() {
    let dir = dir_with_epochs(100_000);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    dir.write("idea.toml", text.replace("batch = 64", "batch = 64\nmonitor = \"val_acc\""));
    let mut run = start_run(&dir);
    send(&run, libc::SIGKILL);
    run.wait().unwrap();
    let shown = dir.run(&["watch"]).code(0);
    assert_says(&stdout(&shown), &["interrupted: epoch ", "acc validation ", "acc training "]);
    assert_says(&stderr(&shown), &["best val_acc 0.", "continue with `runner resume "]);
}

#[test]
fn a_run_that_is_removed_is_an_error_and_a_closed_pipe_is_none() {
    let dir = dir_with_epochs(100_000);
    let mut run = start_run(&dir);
    let mut watch = start(dir.command(&["watch", "idea"]));
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.next().unwrap();
    let mut closed = start(dir.command(&["watch", "idea"]));
    drop(closed.stdout.take()); // as `head` does
    assert_eq!(closed.wait().unwrap().code(), Some(0));
    run.kill().unwrap();
    run.wait().unwrap();
    std::fs::remove_dir_all(dir.path("runs")).unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(2));
    let mut message = String::new();
    watch.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_says(&message, &["error: `idea` was removed while it was watched"]);
}

#[test]
fn stacks_of_workers_and_several_variants_are_shown() {
    let dir = dir_with_epochs(4);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    let variant = "\n[[variants]]\nname = \"narrow\"\nset = { \"train.batch\" = 32 }\n[[variants]]\nname = \"wide\"\nset = { \"network.layers\" = [{ linear = 24 }, { linear = 10 }] }\n";
    dir.write("idea.toml", text + variant);
    dir.run(&["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1", "--stack", "1", "--workers", "2"]).code(0);
    let shown = stdout(&dir.run(&["watch"]).code(0));
    assert_says(&shown, &["complete: 4 of 4 trials done", "val_loss narrow 0.", "val_loss wide 0."]);
}

#[test]
fn wrong_names_and_missing_runs_are_errors() {
    let dir = dir_with_epochs(2);
    let message = dir.error_message(&["watch"]);
    assert_says(&message, &["there is no run under `runs` and no sweep under `sweeps`", "runner exp NAME"]);
    dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    assert_says(&dir.error_message(&["watch", "idae"]), &["no run `idae` under `runs`", "did you mean `idea`?"]);
    std::fs::write(dir.path("runs/idea/latest/run.json"), "{").unwrap();
    assert_says(&dir.error_message(&["watch"]), &["failed to read `", "run.json`"]);
}
