//! Permanent disk errors: files go to a fallback directory, and a message names it.

use std::io::{BufRead, BufReader};
use std::process::{Command as StdCommand, Stdio};

use serde_json::Value;

use super::faulty_disk::{Disk, EIO, ENOMEM, ENOSPC, EROFS, TRIAL_FILES, assert_files_complete, folders, names};
use crate::support::{curves, send};

#[test]
fn files_go_to_the_fallback_directory_if_the_disk_is_full() {
    let disk = Disk::new();
    let outcome = disk.exp(&[], &[("CALL", "write"), ("MATCH", TRIAL_FILES), ("ERRNO", ENOSPC)]).code(2);
    assert!(disk.faults().len() >= 5, "too few attempts: {:?}", disk.faults());
    let (run, dir) = (disk.run(), disk.fallback_directory(&disk.cache().join("runner")));
    assert!(!names(&run).iter().any(|name| name.starts_with(TRIAL_FILES)), "{:?}", names(&run));
    assert_files_complete(&run);
    disk.assert_trials_saved(&dir, &[]);
    let title = format!("idea-{}", run.file_name().unwrap().to_string_lossy());
    assert_eq!(dir.file_name().unwrap().to_string_lossy(), title);
    let shown = dir.display().to_string();
    let outcome = outcome.assert_says(&[
        "No space left on device",
        "base-seed0.json",
        "base-seed0.safetensors",
        &shown,
        "hint: ",
    ]);
    assert!(outcome.stdout.contains("underfitting"), "the summary is missing: {}", outcome.stdout);
    // the fallback directory can be read like a run, and the command of the hint completes the run directory
    disk.dir.run(&["eval", &shown, "--data", "train"]).code(0);
    let copy = outcome.stderr.split('`').find(|words| words.starts_with("cp ")).unwrap();
    assert!(StdCommand::new("sh").args(["-c", copy]).current_dir(disk.dir.path("")).status().unwrap().success());
    disk.assert_trials_saved(&run, &[]);
}

#[test]
fn writes_to_a_read_only_disk_fail_quickly() {
    let disk = Disk::new();
    let outcome = disk.exp(&["--seeds", "0..1"], &[("CALL", "open"), ("MATCH", TRIAL_FILES), ("ERRNO", EROFS)]).code(2);
    let attempts = disk.faults().iter().filter(|line| line.contains("seed0.safetensors")).count();
    assert!((1..=3).contains(&attempts), "{:?}", disk.faults());
    outcome.assert_says(&["Read-only file system", "base-seed1.safetensors"]);
    disk.assert_trials_saved(&disk.fallback_directory(&disk.cache().join("runner")), &["--seeds", "0..1"]);
}

#[test]
fn other_fallback_directories_are_used_if_the_first_fails() {
    for (blocked, kept) in [("cache", "rescued"), ("cache and data", "tmp")] {
        let disk = Disk::new();
        std::fs::write(disk.cache(), "no folder").unwrap();
        if blocked == "cache and data" {
            std::fs::write(disk.dir.data_path("rescued"), "no folder").unwrap();
        }
        let outcome = disk.exp(&[], &[("CALL", "open"), ("MATCH", TRIAL_FILES), ("ERRNO", EROFS)]).code(2);
        let base = match kept {
            "tmp" => folders(&disk.temporary()).remove(0),
            _ => disk.dir.data_path("rescued"),
        };
        let directories = folders(&base);
        assert_eq!(directories.len(), 1);
        disk.assert_trials_saved(&directories[0], &[]);
        outcome.assert_says(&[&directories[0].display().to_string()]);
    }
}

#[test]
fn results_are_printed_if_no_directory_is_writable() {
    let disk = Disk::new();
    let faults = [("CALL", "open"), ("MATCH", TRIAL_FILES), ("ERRNO", EROFS), ("UNDER", "/")];
    let outcome = disk.exp(&["--json"], &faults).code(2);
    let printed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let undisturbed = disk.dir.history(&["idea.toml", "--out", "undisturbed"]);
    assert_eq!(curves(&printed["histories"][0]), curves(&undisturbed));
    let (cache, tmp) = (disk.cache().display().to_string(), disk.temporary().display().to_string());
    outcome.assert_says(&["Read-only file system", "base-seed0.json", &cache, &tmp, "hint: "]);
    assert_files_complete(&disk.run());
    assert!(folders(&disk.cache().join("runner/rescued")).is_empty() && folders(&disk.temporary()).is_empty());
}

#[test]
fn full_disks_are_detected_before_training() {
    for (call, matched) in
        [("write", "experiment.toml"), ("mkdir", "idea/2"), ("open", "runner-probe"), ("write", "run.json")]
    {
        let disk = Disk::new();
        let here = disk.dir.path("").display().to_string();
        let faults = [("CALL", call), ("MATCH", matched), ("ERRNO", ENOSPC), ("UNDER", &here)];
        let outcome = disk.exp(&[], &faults).code(2);
        assert_eq!(disk.faults().len(), 1, "{matched}: {:?}", disk.faults());
        outcome.assert_says(&["error: ", "No space left on device", "--out DIR"]);
        assert!(disk.runs().is_empty(), "{matched}: {:?}", disk.dir.files());
        assert!(disk.dir.path("runs/idea/latest").symlink_metadata().is_err());
    }
}

#[test]
fn training_continues_if_checkpoints_cannot_be_written() {
    let disk = Disk::new();
    let faults = [("CALL", "write"), ("MATCH", "checkpoint"), ("ERRNO", ENOSPC)];
    let outcome = disk.exp(&["--epochs", "4", "--checkpoint", "1"], &faults).code(0);
    assert!(disk.faults().len() >= 3, "{:?}", disk.faults());
    assert_eq!(outcome.stderr.matches("failed to save a checkpoint of epoch").count(), 1, "{}", outcome.stderr);
    disk.assert_trials_saved(&disk.run(), &["--epochs", "4"]);
}

#[test]
fn plots_that_cannot_be_written_cause_a_warning() {
    let disk = Disk::new();
    let outcome = disk.exp(&[], &[("CALL", "fsync"), ("MATCH", ".svg"), ("ERRNO", EIO)]).code(0);
    assert!(!disk.faults().is_empty());
    outcome.assert_says(&["warning: ", ".svg"]);
    disk.assert_trials_saved(&disk.run(), &[]);
}

#[test]
fn stopping_prints_the_resume_command_without_reading_the_checkpoint() {
    let disk = Disk::new();
    // reading the checkpoint fails, as if the file were larger than the free memory
    let faults = [("CALL", "read"), ("MATCH", "checkpoint.safetensors"), ("ERRNO", ENOMEM)];
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--epochs", "100000", "--checkpoint", "never"];
    let mut child = disk.command(&arguments, &faults).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr_lines.any(|line| line.starts_with("epoch      3/")));
    send(&child, libc::SIGTERM);
    let last = stderr_lines.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(last.starts_with("interrupted after epoch ") && last.contains("; continue with `runner resume "), "{last}");
    assert!(disk.run().join("checkpoint.safetensors").is_file());
    assert!(disk.faults().is_empty(), "{:?}", disk.faults());
}
