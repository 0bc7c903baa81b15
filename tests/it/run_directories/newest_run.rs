//! The newest run is the last one that finished. A copy of the `latest` link is not a run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::table_run::{copy, edit_json, folder, json};
use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

/// Creates an unfinished run of `idea` that is newer than the others.
fn interrupt(dir: &TestDir, newest: &Path) -> PathBuf {
    let unfinished = newest.with_file_name("2099-01-01T000000Z-abcdef");
    copy(newest, &unfinished);
    edit_json(&unfinished.join("run.json"), |record| record["finished"] = false.into());
    edit_json(&unfinished.join("base-seed0.json"), |history| history["status"] = "interrupted".into());
    assert!(dir.path("runs/idea").join(&unfinished).exists());
    unfinished
}

#[cfg(unix)]
#[test]
fn the_newest_run_is_the_last_finished_one_and_newer_runs_are_mentioned() {
    let dir = TestDir::with_idea();
    dir.write("idea.toml", idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }"));
    let finished = folder(&dir, &dir.exp(&["idea.toml"]));
    let unfinished = interrupt(&dir, &finished);
    for arguments in [
        &["eval", "idea", "--json"][..],
        &["predict", "idea", "--index", "0"],
        &["export", "idea", "--csv"],
        &["reproduce", "idea", "--json"],
        &["report", "idea", "-o", "r.html"],
        &["plot", "curves", "idea", "-o", "c.svg"],
        &["resume", "runs/idea/latest"],
    ] {
        let run = dir.run(arguments);
        let message = stderr(&run);
        assert_says(&message, &["2099-01-01T000000Z-abcdef", "is unfinished", "runner resume"]);
    }
    let evaluated: Value = serde_json::from_str(&stdout(&dir.run(&["eval", "idea", "--json"]))).unwrap();
    assert_eq!(evaluated["trials"][0]["status"], "completed");
    let named = dir.run(&["eval", unfinished.to_str().unwrap(), "--json"]).code(0);
    assert!(!stderr(&named).contains("note: "), "{}", stderr(&named));
    // an older run that finishes later is not the newest run
    dir.exp(&["idea.toml", "--seed", "3"]);
    let latest = std::fs::read_link(dir.path("runs/idea/latest")).unwrap();
    assert!(!latest.to_str().unwrap().starts_with("2099"));
    // only the interrupted run can be resumed
    std::fs::remove_file(unfinished.join("base-seed0.json")).unwrap();
    let resumed = stderr(&dir.run(&["resume", "idea"]).code(0));
    assert_says(&resumed, &["resuming `runs/idea/2099-01-01T000000Z-abcdef`"]);
    let latest = std::fs::read_link(dir.path("runs/idea/latest")).unwrap();
    assert_eq!(latest, Path::new("2099-01-01T000000Z-abcdef"));
}

#[test]
fn copies_of_the_latest_link_are_not_runs() {
    let dir = TestDir::with_idea();
    let run = folder(&dir, &dir.exp(&["idea.toml"]));
    copy(&dir.path("runs"), &dir.path("copy"));
    // runs of the same second differ only by their settings
    let copied = dir.path("copy/idea").join(run.file_name().unwrap());
    std::fs::rename(&copied, copied.with_file_name("2020-01-01T000000Z-aaaaaa")).unwrap();
    assert!(!dir.path("copy/idea/latest").is_symlink());
    let again = dir.run(&["exp", "idea.toml", "--epochs", "3", "--device", "cpu", "--out", "copy"]).code(0);
    assert_says(&stderr(&again), &["copy/idea/latest` is a directory, not a link"]);
    let evaluated: Value =
        serde_json::from_str(&stdout(&dir.run(&["eval", "idea", "--out", "copy", "--data", "train", "--json"])))
            .unwrap();
    assert!(!evaluated["run"].as_str().unwrap().contains("latest"), "{evaluated}");
    let history = dir.run(&["export", "idea", "--out", "copy", "--keras"]).code(0);
    let exported = stdout(&history).lines().nth(1).unwrap().to_owned();
    let curves = json(dir.path(&format!("{exported}base-seed0.json")));
    assert_eq!(curves["loss"].as_array().unwrap().len(), 3, "the new run, not the copied one");
    let runs: Value = serde_json::from_str(&stdout(&dir.run(&["runs", "--out", "copy", "--json"]).code(0))).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 2, "{runs}");
}
