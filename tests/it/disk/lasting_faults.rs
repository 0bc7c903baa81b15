//! Faults that stay: what the disk does not take is kept elsewhere, and it is said where.

use std::io::{BufRead, BufReader};
use std::process::{Command as StdCommand, Stdio};

use serde_json::Value;

use super::faulty_disk::{Disk, EIO, ENOMEM, ENOSPC, EROFS, OF_TRIALS, assert_whole, folders, names};
use crate::support::{curves, send};

#[test]
fn what_a_full_disk_does_not_take_is_kept_in_the_cache_folder_and_said_so() {
    let disk = Disk::new();
    let ended = disk.exp(&[], &[("CALL", "write"), ("MATCH", OF_TRIALS), ("ERRNO", ENOSPC)]).code(2);
    assert!(disk.faults().len() >= 5, "it was tried again: {:?}", disk.faults());
    let (run, place) = (disk.run(), disk.rescued(&disk.cache().join("runner")));
    assert!(!names(&run).iter().any(|name| name.starts_with(OF_TRIALS)), "{:?}", names(&run));
    assert_whole(&run);
    disk.assert_kept(&place, &[]);
    let title = format!("idea-{}", run.file_name().unwrap().to_string_lossy());
    assert_eq!(place.file_name().unwrap().to_string_lossy(), title);
    let shown = place.display().to_string();
    let ended = ended.says(&["No space left on device", "base-seed0.json", "base-seed0.safetensors", &shown, "hint: "]);
    assert!(ended.printed.contains("underfitting"), "the summary is there all the same: {}", ended.printed);
    // it reads as the run that it is, and the hint makes it whole
    disk.place.run(&["eval", &shown, "--data", "train"]).code(0);
    let copy = ended.said.split('`').find(|words| words.starts_with("cp ")).unwrap();
    assert!(StdCommand::new("sh").args(["-c", copy]).current_dir(disk.place.path("")).status().unwrap().success());
    disk.assert_kept(&run, &[]);
}

#[test]
fn a_disk_that_can_only_be_read_is_not_waited_for_long() {
    let disk = Disk::new();
    let ended = disk.exp(&["--seeds", "0..1"], &[("CALL", "open"), ("MATCH", OF_TRIALS), ("ERRNO", EROFS)]).code(2);
    let of_first = disk.faults().iter().filter(|line| line.contains("seed0.safetensors")).count();
    assert!((1..=3).contains(&of_first), "{:?}", disk.faults());
    ended.says(&["Read-only file system", "base-seed1.safetensors"]);
    disk.assert_kept(&disk.rescued(&disk.cache().join("runner")), &["--seeds", "0..1"]);
}

#[test]
fn a_fall_back_place_that_fails_too_has_others_behind_it() {
    for (blocked, kept) in [("cache", "rescued"), ("cache and data", "tmp")] {
        let disk = Disk::new();
        std::fs::write(disk.cache(), "no folder").unwrap();
        if blocked == "cache and data" {
            std::fs::write(disk.place.data_path("rescued"), "no folder").unwrap();
        }
        let ended = disk.exp(&[], &[("CALL", "open"), ("MATCH", OF_TRIALS), ("ERRNO", EROFS)]).code(2);
        let base = match kept {
            "tmp" => folders(&disk.temporary()).remove(0),
            _ => disk.place.data_path("rescued"),
        };
        let places = folders(&base);
        assert_eq!(places.len(), 1);
        disk.assert_kept(&places[0], &[]);
        ended.says(&[&places[0].display().to_string()]);
    }
}

#[test]
fn where_no_disk_takes_anything_the_run_still_ends_in_words_and_prints_what_it_found() {
    let disk = Disk::new();
    let faults = [("CALL", "open"), ("MATCH", OF_TRIALS), ("ERRNO", EROFS), ("UNDER", "/")];
    let ended = disk.exp(&["--json"], &faults).code(2);
    let printed: Value = serde_json::from_str(&ended.printed).unwrap();
    let without = disk.place.history(&["idea.toml", "--out", "undisturbed"]);
    assert_eq!(curves(&printed["histories"][0]), curves(&without));
    let (cache, tmp) = (disk.cache().display().to_string(), disk.temporary().display().to_string());
    ended.says(&["Read-only file system", "base-seed0.json", &cache, &tmp, "hint: "]);
    assert_whole(&disk.run());
    assert!(folders(&disk.cache().join("runner/rescued")).is_empty() && folders(&disk.temporary()).is_empty());
}

#[test]
fn a_full_disk_is_found_before_anything_is_trained() {
    for (call, matched) in
        [("write", "experiment.toml"), ("mkdir", "idea/2"), ("open", "runner-probe"), ("write", "run.json")]
    {
        let disk = Disk::new();
        let here = disk.place.path("").display().to_string();
        let faults = [("CALL", call), ("MATCH", matched), ("ERRNO", ENOSPC), ("UNDER", &here)];
        let ended = disk.exp(&[], &faults).code(2);
        assert_eq!(disk.faults().len(), 1, "{matched}: {:?}", disk.faults());
        ended.says(&["error: ", "No space left on device", "--out DIR"]);
        assert!(disk.runs().is_empty(), "{matched}: {:?}", disk.place.files());
        assert!(disk.place.path("runs/idea/latest").symlink_metadata().is_err());
    }
}

#[test]
fn checkpoints_that_cannot_be_written_stop_nothing() {
    let disk = Disk::new();
    let faults = [("CALL", "write"), ("MATCH", "checkpoint"), ("ERRNO", ENOSPC)];
    let ended = disk.exp(&["--epochs", "4", "--checkpoint", "1"], &faults).code(0);
    assert!(disk.faults().len() >= 3, "{:?}", disk.faults());
    assert_eq!(ended.said.matches("no checkpoint of epoch").count(), 1, "{}", ended.said);
    disk.assert_kept(&disk.run(), &["--epochs", "4"]);
}

#[test]
fn pictures_that_cannot_be_written_are_a_warning() {
    let disk = Disk::new();
    let ended = disk.exp(&[], &[("CALL", "fsync"), ("MATCH", ".svg"), ("ERRNO", EIO)]).code(0);
    assert!(!disk.faults().is_empty());
    ended.says(&["warning: ", ".svg"]);
    disk.assert_kept(&disk.run(), &[]);
}

#[test]
fn a_stop_says_where_the_run_resumes_without_reading_its_checkpoint() {
    let disk = Disk::new();
    // reading the checkpoint fails, as it does where the file is larger than the free memory
    let faults = [("CALL", "read"), ("MATCH", "checkpoint.safetensors"), ("ERRNO", ENOMEM)];
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--epochs", "100000", "--checkpoint", "never"];
    let mut child = disk.command(&arguments, &faults).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.starts_with("epoch      3/")));
    send(&child, libc::SIGTERM);
    let last = talk.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(last.starts_with("interrupted after epoch ") && last.contains("; continue with `runner resume "), "{last}");
    assert!(disk.run().join("checkpoint.safetensors").is_file());
    assert!(disk.faults().is_empty(), "{:?}", disk.faults());
}
