//! Faults that pass, and what a file system does not have: the run waits or goes on, and nothing is lost.

use super::faulty_disk::{Disk, EINTR, EINVAL, EIO, ENOLCK, ENOSPC, ENOTSUP, OF_TRIALS};

// For a while

#[test]
fn a_disk_that_is_full_for_a_while_is_waited_for() {
    let disk = Disk::new();
    let ended = disk.exp(&[], &[("CALL", "write"), ("MATCH", OF_TRIALS), ("ERRNO", ENOSPC), ("TIMES", "3")]);
    assert_eq!(ended.code(0).said.matches("No space").count(), 0);
    assert_eq!(disk.faults().len(), 3);
    disk.assert_kept(&disk.run(), &[]);
    assert!(!disk.cache().exists(), "nothing had to be rescued");
}

#[test]
fn what_could_not_be_brought_onto_the_disk_is_written_again() {
    for call in ["fsync", "syncdir", "rename"] {
        let disk = Disk::new();
        let matched = if call == "syncdir" { "runs/idea/2" } else { OF_TRIALS };
        let after = if call == "syncdir" { "2" } else { "0" }; // what is written before training is not tried again
        let faults = [("CALL", call), ("MATCH", matched), ("ERRNO", EIO), ("AFTER", after), ("TIMES", "2")];
        disk.exp(&[], &faults).code(0);
        assert_eq!(disk.faults().len(), 2, "{call}");
        disk.assert_kept(&disk.run(), &[]);
    }
}

#[test]
fn a_disk_that_is_slow_to_sync_is_waited_for() {
    let disk = Disk::new();
    disk.exp(&["--checkpoint", "1"], &[("CALL", "fsync"), ("MATCH", "seed0.json"), ("DELAY", "1500")]).code(0);
    assert!(!disk.faults().is_empty());
    disk.assert_kept(&disk.run(), &[]);
}

#[test]
fn calls_that_a_signal_interrupts_are_done_again_at_once() {
    let disk = Disk::new();
    let faults = [("CALL", "open write fsync syncdir rename"), ("ERRNO", EINTR), ("AFTER", "9"), ("TIMES", "40")];
    disk.exp(&[], &faults).code(0);
    assert_eq!(disk.faults().len(), 40);
    disk.assert_kept(&disk.run(), &[]);
}

// What a file system does not have

#[test]
fn a_file_system_without_locks_or_syncs_is_no_hindrance() {
    for (calls, error) in [("flock", ENOLCK), ("flock fsync syncdir", ENOTSUP), ("fsync syncdir", EINVAL)] {
        let disk = Disk::new();
        let ended = disk.exp(&[], &[("CALL", calls), ("ERRNO", error)]).code(0);
        assert!(!ended.said.contains("warning"), "{}", ended.said);
        for call in calls.split(' ') {
            assert!(disk.faults().iter().any(|line| line.starts_with(call)), "{call}");
        }
        disk.assert_kept(&disk.run(), &[]);
    }
}
