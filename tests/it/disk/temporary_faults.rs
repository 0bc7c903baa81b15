//! Temporary disk errors and missing features of file systems: the run waits or continues without data loss.

use runner::history::foreign::tensorboard;

use super::faulty_disk::{Disk, EINTR, EINVAL, EIO, ENOLCK, ENOSPC, ENOTSUP, TRIAL_FILES};

// Temporary errors

#[test]
fn writes_are_retried_while_the_disk_is_full() {
    let disk = Disk::new();
    let outcome = disk.exp(&[], &[("CALL", "write"), ("MATCH", TRIAL_FILES), ("ERRNO", ENOSPC), ("TIMES", "3")]);
    assert_eq!(outcome.code(0).stderr.matches("No space").count(), 0);
    assert_eq!(disk.faults().len(), 3);
    disk.assert_trials_saved(&disk.run(), &[]);
    assert!(!disk.cache().exists(), "the fallback directory was used");
}

#[test]
fn files_are_written_again_after_a_failed_sync() {
    for call in ["fsync", "syncdir", "rename"] {
        let disk = Disk::new();
        let matched = if call == "syncdir" { "runs/idea/2" } else { TRIAL_FILES };
        let after = if call == "syncdir" { "2" } else { "0" }; // writes before the training are not repeated
        let faults = [("CALL", call), ("MATCH", matched), ("ERRNO", EIO), ("AFTER", after), ("TIMES", "2")];
        disk.exp(&[], &faults).code(0);
        assert_eq!(disk.faults().len(), 2, "{call}");
        disk.assert_trials_saved(&disk.run(), &[]);
    }
}

#[test]
fn slow_syncs_are_waited_for() {
    let disk = Disk::new();
    disk.exp(&["--checkpoint", "1"], &[("CALL", "fsync"), ("MATCH", "seed0.json"), ("DELAY", "1500")]).code(0);
    assert!(!disk.faults().is_empty());
    disk.assert_trials_saved(&disk.run(), &[]);
}

#[test]
fn interrupted_system_calls_are_repeated_immediately() {
    let disk = Disk::new();
    let faults = [("CALL", "open write fsync syncdir rename"), ("ERRNO", EINTR), ("AFTER", "9"), ("TIMES", "40")];
    disk.exp(&[], &faults).code(0);
    assert_eq!(disk.faults().len(), 40);
    disk.assert_trials_saved(&disk.run(), &[]);
}

#[test]
fn event_files_get_the_events_that_a_full_disk_refused() {
    let disk = Disk::new();
    let logs = disk.dir.path("logs").display().to_string();
    let faults = [("UNDER", logs.as_str()), ("CALL", "write"), ("ERRNO", ENOSPC), ("AFTER", "1"), ("TIMES", "1")];
    let outcome = disk.exp(&["--tensorboard", "logs"], &faults).code(0);
    assert_eq!(outcome.stderr.matches("failed to write event files to").count(), 1, "{}", outcome.stderr);
    assert_eq!(disk.faults().len(), 1);
    let run = disk.run();
    let trial = disk.dir.path("logs/idea").join(run.file_name().unwrap()).join("base-seed0");
    let found = tensorboard::read(&trial).unwrap();
    assert_eq!(found.series["loss"].iter().map(|point| point.epoch).collect::<Vec<_>>(), [1, 2]);
    let faults = [("UNDER", logs.as_str()), ("CALL", "write"), ("ERRNO", ENOSPC)];
    let outcome = disk.exp(&["--tensorboard", "logs"], &faults).code(0);
    assert_eq!(outcome.stderr.matches("failed to write event files to").count(), 1, "{}", outcome.stderr);
}

// Missing features of the file system

#[test]
fn runs_work_on_file_systems_without_locks_or_syncs() {
    for (calls, error) in [("flock", ENOLCK), ("flock fsync syncdir", ENOTSUP), ("fsync syncdir", EINVAL)] {
        let disk = Disk::new();
        let outcome = disk.exp(&[], &[("CALL", calls), ("ERRNO", error)]).code(0);
        assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
        for call in calls.split(' ') {
            assert!(disk.faults().iter().any(|line| line.starts_with(call)), "{call}");
        }
        disk.assert_trials_saved(&disk.run(), &[]);
    }
}
