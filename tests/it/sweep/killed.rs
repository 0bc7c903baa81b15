//! Workers that are killed lose nothing and train nothing twice.

use std::path::Path;

use super::sweep_run::{
    assert_same_results, command, dir_with_epochs, json, names, only_sweep, start, sweeps, trained, wait_for,
};
use crate::support::send;

/// Process IDs of the workers that train a stack, from their claims.
fn training(sweep: &Path) -> Vec<i32> {
    let ended = names(&sweep.join("ended"));
    let claims = names(&sweep.join("claims"));
    let open = claims.iter().filter(|claim| !ended.contains(&format!("{}.json", &claim[..4])));
    let newest = open.filter(|claim| {
        let (stack, generation) = claim.split_once('.').unwrap();
        !claims.contains(&format!("{stack}.{}", generation.parse::<u32>().unwrap() + 1))
    });
    newest.map(|claim| json(&sweep.join("claims").join(claim))["process"].as_i64().unwrap() as i32).collect()
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library sends no signals")]
fn kill(process: i32) {
    // SAFETY: the call touches no memory; the process is a worker of this test.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

#[test]
fn workers_that_are_killed_again_and_again_change_nothing() {
    const KILLS: usize = 6;
    let (dir, undisturbed) = (dir_with_epochs(400), dir_with_epochs(400));
    let mut child = start(command(&dir, &["--workers", "2", "--checkpoint", "1"]));
    wait_for(|| sweeps(&dir).len() == 1);
    let path = only_sweep(&dir);
    let mut killed: Vec<i32> = Vec::new();
    let mut pause = 7; // milliseconds
    while killed.len() < KILLS && child.try_wait().unwrap().is_none() {
        // a worker that has saved a checkpoint, so that it has made progress
        let is_saved = |stack: &String| path.join("stacks").join(stack).join("checkpoint.safetensors").exists();
        let new: Vec<i32> = training(&path).into_iter().filter(|process| !killed.contains(process)).collect();
        if let Some(&process) = new.first().filter(|_| names(&path.join("stacks")).iter().any(is_saved)) {
            pause = pause * 5 % 97; // other moments in each round
            std::thread::sleep(std::time::Duration::from_millis(pause));
            kill(process);
            killed.push(process);
        }
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(killed.len() >= 3, "{killed:?}");
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
            stacks.iter().filter(|stack| path.join("stacks").join(stack).join("preprocessing.json").exists()).count() >= 2
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
        beats.filter(|name| std::fs::read_to_string(path.join("beats").join(name)).unwrap() == "released\n").count()
    };
    assert_eq!(released(1), 2);

    let mut child = start(command(&dir, &["--workers", "2", "--resume"]));
    wait_for(|| names(&path.join("claims")).iter().filter(|claim| claim.ends_with(".2")).count() == 2);
    std::thread::sleep(std::time::Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for(|| released(2) == 2);
}
