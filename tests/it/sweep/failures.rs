//! Stacks that fail, and sweeps that are refused.

use super::sweep_run::{dir_with_epochs, files_of_trials, json, names, sweep, trained};
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
        (&["status", "idea"], &["no sweep `idea` under `sweeps`", "hint: start one with `runner sweep idea`"]),
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
