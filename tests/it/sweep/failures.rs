//! Stacks that fail, and sweeps that are refused.

use super::sweep_run::{SPACE, dir_with_epochs, files_of_trials, json, names, planned_of, run, sweep, trained, worker};
use crate::support::{TestDir, assert_says};

#[test]
fn a_stack_that_fails_is_recorded_and_can_be_tried_again() {
    let dir = dir_with_epochs(3);
    let path = trained(&dir, &["--workers", "2"]);
    let shown = path.display().to_string();
    let table = std::fs::read_to_string(path.join("table.csv")).unwrap();
    let expected = files_of_trials(&path);
    // stack S001 again, where a file is in the way of its directory
    std::fs::remove_dir_all(path.join("stacks/S001")).unwrap();
    std::fs::write(path.join("stacks/S001"), "").unwrap();
    for file in ["ended/S001.json", "claims/S001.1", "table.csv"] {
        std::fs::remove_file(path.join(file)).unwrap();
    }
    let (code, printed, stderr) = sweep(&dir, &[&shown, "--resume", "--workers", "2"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["1 stack failed", "runner sweep retry --failed"]);
    assert_says(&printed, &["failed: 0002, 0003: "]);
    let end = json(&path.join("ended/S001.json"));
    assert_says(end["failure"]["error"].as_str().unwrap(), &["stacks/S001"]);
    let csv = std::fs::read_to_string(path.join("table.csv")).unwrap();
    assert_eq!(csv.lines().filter(|line| line.contains(",failed,")).count(), 2, "{csv}");
    assert!(csv.lines().last().unwrap().contains(",failed,"), "{csv}");
    let (_, status, _) = sweep(&dir, &["status", &shown]);
    assert_says(&status, &["12 of 16 done, 4 failed", "S001: "]);

    std::fs::remove_file(path.join("stacks/S001")).unwrap();
    assert_eq!(sweep(&dir, &["retry", "--failed", &shown]).0, Some(0));
    assert_eq!(names(&path.join("ended")), ["S000.json", "S001.failed-1.json", "S002.json", "S003.json"]);
    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(std::fs::read_to_string(path.join("table.csv")).unwrap(), table);
    assert!(files_of_trials(&path) == expected);
    let (code, _, stderr) = sweep(&dir, &["retry", "--failed", &shown]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["no stack of the sweep has failed"]);
}

#[test]
fn another_directory_or_build_is_refused() {
    let dir = TestDir::with_idea();
    for (arguments, words) in [
        (&["status", "nowhere/here"][..], &["`nowhere/here` does not exist", "hint: "][..]),
        (
            &["status", "idea"],
            &["no sweep `idea` under `sweeps`", "hint: start one with `runner sweep idea.toml --space KEY=VALUES`"],
        ),
        (
            &["status", "nothing_such"],
            &["no sweep `nothing_such` under `sweeps`", "hint: name the directory of a sweep"],
        ),
        (&["work", "."], &["is not the directory of a sweep"]),
    ] {
        let (code, _, stderr) = sweep(&dir, arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, words);
    }
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    let shown = path.display().to_string();
    let mut record = json(&path.join("sweep.json"));
    record["program"]["libtorch"] = "1.0".into();
    std::fs::write(path.join("sweep.json"), record.to_string()).unwrap();
    for file in ["ended/S000.json", "claims/S000.1"] {
        std::fs::remove_file(path.join(file)).unwrap();
    }
    for arguments in [&["work", &shown][..], &[&shown, "--resume"]] {
        let (code, _, stderr) = sweep(&dir, arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, &["another build of runner: libtorch 1.0 then, ", "`--force`"]);
    }
    assert_eq!(sweep(&dir, &["work", &shown, "--force"]).0, Some(0));
}

#[test]
fn a_stack_is_not_resumed_without_a_lease() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    let stack = path.join("stacks/S001").display().to_string();
    let before = dir.files();
    for run in [stack.as_str(), &format!("{stack}/run.json"), &path.join("stacks").display().to_string()] {
        let output = dir.command(&["resume", run]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let hint = format!("runner sweep {} --resume", path.display());
        assert_says(&stderr, &["is a stack of a sweep", "hint: continue the sweep", &hint]);
    }
    assert_eq!(dir.files(), before);
}

#[test]
fn an_edited_record_is_refused() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    let shown = path.display().to_string();
    let record = json(&path.join("sweep.json"));
    for (stacks, words) in [
        (serde_json::json!([]), "`stacks` must have at least one stack, found none"),
        (serde_json::json!([{ "name": "../S", "configurations": ["0000"] }]), "found `../S`"),
        (serde_json::json!([{ "name": "S000", "configurations": ["0000"] }]), "no stack trains configuration `0001`"),
    ] {
        let mut edited = record.clone();
        edited["stacks"] = stacks;
        std::fs::write(path.join("sweep.json"), edited.to_string()).unwrap();
        for arguments in [&["status", &shown][..], &["work", &shown], &[&shown, "--resume"]] {
            let (code, _, stderr) = sweep(&dir, arguments);
            assert_eq!(code, Some(2), "{stderr}");
            assert_says(&stderr, &["sweep.json", words]);
        }
    }
}

#[test]
fn files_that_are_no_claims_are_ignored() {
    let (dir, undisturbed) = (dir_with_epochs(2), dir_with_epochs(2));
    let expected = trained(&undisturbed, &["--workers", "1"]);
    let path = planned_of(&dir, &SPACE);
    for name in ["S000.4294967295", "S001.0", "S002.x", "ÄÖÜ"] {
        std::fs::write(path.join("claims").join(name), "").unwrap();
        std::fs::write(path.join("ended").join(format!("{name}.failed-4294967295.json")), "").unwrap();
    }
    let (code, _, stderr) = run(worker(&dir, &path));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(files_of_trials(&path) == files_of_trials(&expected));
}

#[test]
fn a_complete_sweep_is_not_stopped_and_its_options_cannot_be_changed() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    let shown = path.display().to_string();
    let before = dir.files();
    let (code, _, stderr) = sweep(&dir, &["stop", &shown]);
    assert_eq!(code, Some(0));
    assert_says(&stderr, &["is already complete"]);
    let parent = path.parent().unwrap().display().to_string();
    for named in [shown.as_str(), &format!("{parent}/latest"), &parent, "idea"] {
        let (code, _, stderr) = sweep(&dir, &[named, "--resume"]);
        assert_eq!(code, Some(0), "{named}: {stderr}");
        assert_says(&stderr, &["is already complete"]);
    }
    for option in [
        &["--seeds", "5"][..],
        &["--trials", "9"],
        &["--set", "train.epochs=3"],
        &["--epochs", "3"],
        &["--stack", "2"],
        &["--metric", "best.val_acc"],
        &["--threads", "7"],
        &["--tf32"],
    ] {
        let (code, _, stderr) = sweep(&dir, &[&[&shown, "--resume"], option].concat());
        assert_eq!(code, Some(2), "{option:?}: {stderr}");
        assert_says(&stderr, &["the settings of the sweep in `", "omit options that change the sweep"]);
    }
    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume", "--dry-run"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["a sweep that has started has no dry run", "`runner sweep status "]);
    let (code, _, stderr) = sweep(&dir, &["table", &shown, "--metric", "best.epoch"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["`--metric` must have a direction", "`best.epoch`"]);
    assert_eq!(dir.files(), before);
    for option in ["--dry-run", "--resume", "--force", "--json"] {
        let output = dir.command(&["selftest", "sweep", "idea.toml", option]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{option}");
    }
}

#[test]
fn a_device_that_does_not_exist_is_refused_before_anything_is_written() {
    let dir = dir_with_epochs(2);
    for devices in ["cuda:7", "cpu,cuda:7", "cpu,gpu"] {
        let (code, _, stderr) = sweep(&dir, &[&["idea.toml", "--devices", devices], &SPACE[..]].concat());
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("cuda:7") || stderr.contains("`gpu`"), "{stderr}");
    }
    let workers = ["idea.toml", "--devices", "cpu,cpu", "--workers", "3"];
    let (code, _, stderr) = sweep(&dir, &[&workers[..], &SPACE].concat());
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["`--workers` is for one device, but `--devices` names 2", "hint: omit `--workers`"]);
    assert!(!dir.path("sweeps").exists());
}
