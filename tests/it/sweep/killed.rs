//! Workers that are killed lose nothing and train nothing twice.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::sweep_run::{
    SPACE, assert_same_results, command, dir_with_epochs, json, names, only_sweep, run, start, sweeps, trained,
    wait_for,
};
use crate::support::{TestDir, assert_says, send};

/// Process IDs of the workers that train a stack and have saved a checkpoint: three that die without progress are a failure
/// of the stack.
fn training(sweep: &Path) -> Vec<i32> {
    let ended = names(&sweep.join("ended"));
    let claims = names(&sweep.join("claims"));
    let changed = |path: std::path::PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let is_newest = |stack: &str, generation: u32| !claims.contains(&format!("{stack}.{}", generation + 1));
    let process = |claim: &String| {
        let (stack, generation) = claim.split_once('.').unwrap();
        let path = sweep.join("claims").join(claim);
        let saved = changed(sweep.join("stacks").join(stack).join("checkpoint.safetensors"));
        let is_open = !ended.contains(&format!("{stack}.json")) && is_newest(stack, generation.parse().unwrap());
        (is_open && saved? > changed(path.clone())?).then(|| json(&path)["process"].as_i64().unwrap() as i32)
    };
    claims.iter().filter_map(process).collect()
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library sends no signals")]
fn kill(process: i32) {
    // SAFETY: the call touches no memory; the process is a worker of this test.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

/// Starts a sweep and kills workers that train, up to six times. Returns the directory of the sweep, which has ended, and
/// the number of kills.
pub fn run_with_kills(dir: &TestDir, command: Command) -> (PathBuf, usize) {
    const KILLS: usize = 6;
    let mut child = start(command);
    wait_for(|| sweeps(dir).len() == 1);
    let path = only_sweep(dir);
    let mut killed: Vec<i32> = Vec::new();
    let mut pause = 7; // milliseconds
    while killed.len() < KILLS && child.try_wait().unwrap().is_none() {
        let new: Vec<i32> = training(&path).into_iter().filter(|process| !killed.contains(process)).collect();
        let Some(&process) = new.first() else {
            std::thread::sleep(std::time::Duration::from_millis(10)); // a stack of a fast machine trains for a moment
            continue;
        };
        pause = pause * 5 % 97; // other moments in each round
        std::thread::sleep(std::time::Duration::from_millis(pause));
        kill(process);
        killed.push(process);
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    (path, killed.len())
}

#[test]
fn workers_that_are_killed_again_and_again_change_nothing() {
    let (dir, undisturbed) = (dir_with_epochs(400), dir_with_epochs(400));
    let (path, killed) = run_with_kills(&dir, command(&dir, &["--workers", "2", "--checkpoint", "1"]));
    assert!(killed >= 3, "{killed}");
    let generations = names(&path.join("claims")).len();
    assert!(generations > 4, "stacks were taken over: {generations} claims");
    let expected = trained(&undisturbed, &["--workers", "1"]);
    assert_same_results(&path, &expected);
}

#[test]
fn ctrl_c_leaves_checkpoints_and_a_killed_command_leaves_workers_that_stop() {
    let dir = dir_with_epochs(3000);
    let mut child = start(command(&dir, &["--workers", "2"]));
    let is_training = || {
        sweeps(&dir).pop().is_some_and(|path| {
            let stacks = names(&path.join("stacks"));
            let has_epochs = |stack: &&String| {
                let lines = std::fs::read_to_string(path.join("stacks").join(stack).join("live.jsonl"));
                lines.is_ok_and(|lines| lines.lines().count() > 1)
            };
            stacks.iter().filter(has_epochs).count() >= 2
        })
    };
    wait_for(is_training);
    let path = only_sweep(&dir);
    send(&child, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let saved = |path: &Path| {
        let stacks = names(&path.join("stacks")).into_iter();
        stacks.filter(|stack| path.join("stacks").join(stack).join("checkpoint.safetensors").exists()).count()
    };
    assert_eq!(saved(&path), 2, "both workers have saved a checkpoint");
    let released = |generation: u32| {
        let beats = names(&path.join("beats")).into_iter().filter(|name| name.ends_with(&format!(".{generation}")));
        beats
            .filter(|name| {
                std::fs::read_to_string(path.join("beats").join(name)).is_ok_and(|beat| beat == "released\n")
            })
            .count()
    };
    assert_eq!(released(1), 2);

    let mut child = start(command(&dir, &["--workers", "2", "--resume"]));
    wait_for(|| names(&path.join("claims")).iter().filter(|claim| claim.ends_with(".2")).count() == 2);
    std::thread::sleep(std::time::Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for(|| released(2) == 2);
}

#[test]
fn the_self_test_kills_workers_and_finds_no_difference() {
    let dir = dir_with_epochs(150);
    let test = ["selftest", "sweep", "idea.toml", "--device", "cpu", "--kills", "4", "--workers", "2"];
    let (code, stdout, stderr) = run(dir.command(&[&test[..], &SPACE].concat()));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["4 kills in ", "to the last bit"]);
}
