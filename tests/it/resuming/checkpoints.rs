//! Checkpoints and locks that are damaged or belong to another run.

use super::run::{dir_with_killed_run, latest_run, resume_error};
use crate::support::{TestDir, assert_says};

#[test]
fn checkpoints_of_other_runs_are_rejected() {
    let (ours, other) = (dir_with_killed_run(), dir_with_killed_run());
    let checkpoint = |dir: &TestDir| latest_run(dir).join("checkpoint.safetensors");
    let theirs = other.path("theirs.safetensors");
    std::fs::copy(checkpoint(&other), &theirs).unwrap();
    let text = std::fs::read_to_string(latest_run(&ours).join("run.json")).unwrap();
    // the same network, trials and epochs, but another learning rate
    std::fs::write(latest_run(&ours).join("run.json"), text.replace("lr = 1e-3", "lr = 2e-3")).unwrap();
    std::fs::copy(theirs, checkpoint(&ours)).unwrap();
    let message = resume_error(&ours);
    assert_says(&message, &["belongs to another run", "its settings or data are different", "hint: remove it", "rm '"]);
}

#[test]
fn damaged_checkpoints_are_rejected_with_a_hint() {
    let dir = dir_with_killed_run();
    let file = latest_run(&dir).join("checkpoint.safetensors");
    let original = std::fs::read(&file).unwrap();
    for place_of_bit in [9, original.len() / 2, original.len() - 1] {
        let mut damaged = original.clone();
        damaged[place_of_bit] ^= 1;
        std::fs::write(&file, damaged).unwrap();
        assert_says(&resume_error(&dir), &["checkpoint.safetensors", "damaged", "hint: remove it", "rm '"]);
    }
    std::fs::write(&file, &original[..original.len() / 2]).unwrap();
    assert_says(&resume_error(&dir), &["damaged"]);
}

#[cfg(unix)]
#[test]
fn lock_files_that_are_links_are_rejected_and_their_targets_kept() {
    let dir = dir_with_killed_run();
    dir.write("precious", "the user's own");
    let lock = latest_run(&dir).join(".lock");
    let _ = std::fs::remove_file(&lock); // the lock of the killed run
    std::os::unix::fs::symlink(dir.path("precious"), &lock).unwrap();
    assert_says(&resume_error(&dir), &["failed to lock", "hint: "]);
    assert_eq!(std::fs::read_to_string(dir.path("precious")).unwrap(), "the user's own");
}
