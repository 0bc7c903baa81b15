//! The newest run is the last that finished; a copy of the link `latest` is no run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::table_run::{change, copy, folder, json};
use crate::support::{Place, assert_says, idea_with, stderr, stdout};

/// Makes a run of `idea` that is unfinished, newer than the others.
fn interrupt(place: &Place, newest: &Path) -> PathBuf {
    let unfinished = newest.with_file_name("2099-01-01T000000Z-abcdef");
    copy(newest, &unfinished);
    change(&unfinished.join("run.json"), |record| record["finished"] = false.into());
    change(&unfinished.join("base-seed0.json"), |history| history["status"] = "interrupted".into());
    assert!(place.path("runs/idea").join(&unfinished).exists());
    unfinished
}

#[cfg(unix)]
#[test]
fn the_newest_run_is_the_last_that_finished_and_a_newer_one_is_said() {
    let place = Place::with_idea();
    place.write("idea.toml", idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }"));
    let finished = folder(&place, &place.exp(&["idea.toml"]));
    let unfinished = interrupt(&place, &finished);
    for arguments in [
        &["eval", "idea", "--json"][..],
        &["predict", "idea", "--index", "0"],
        &["export", "idea", "--csv"],
        &["reproduce", "idea", "--json"],
        &["report", "idea", "-o", "r.html"],
        &["plot", "curves", "idea", "-o", "c.svg"],
        &["resume", "runs/idea/latest"],
    ] {
        let run = place.run(arguments);
        let said = stderr(&run);
        assert_says(&said, &["2099-01-01T000000Z-abcdef", "has not finished", "runner resume"]);
    }
    let evaluated: Value = serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--json"]))).unwrap();
    assert_eq!(evaluated["trials"][0]["status"], "completed");
    let named = place.run(&["eval", unfinished.to_str().unwrap(), "--json"]).code(0);
    assert!(!stderr(&named).contains("note: "), "{}", stderr(&named));
    // an older run that finishes is not the newest
    place.exp(&["idea.toml", "--seed", "3"]);
    let latest = std::fs::read_link(place.path("runs/idea/latest")).unwrap();
    assert!(!latest.to_str().unwrap().starts_with("2099"));
    // what can be resumed is the one that was interrupted
    std::fs::remove_file(unfinished.join("base-seed0.json")).unwrap();
    let resumed = stderr(&place.run(&["resume", "idea"]).code(0));
    assert_says(&resumed, &["going on with `runs/idea/2099-01-01T000000Z-abcdef`"]);
    let latest = std::fs::read_link(place.path("runs/idea/latest")).unwrap();
    assert_eq!(latest, Path::new("2099-01-01T000000Z-abcdef"));
}

#[test]
fn a_copy_of_the_link_latest_is_no_run() {
    let place = Place::with_idea();
    let run = folder(&place, &place.exp(&["idea.toml"]));
    copy(&place.path("runs"), &place.path("copy"));
    // two runs of the same second would be told apart by their settings alone
    let copied = place.path("copy/idea").join(run.file_name().unwrap());
    std::fs::rename(&copied, copied.with_file_name("2020-01-01T000000Z-aaaaaa")).unwrap();
    assert!(!place.path("copy/idea/latest").is_symlink());
    let again = place.run(&["exp", "idea.toml", "--epochs", "3", "--device", "cpu", "--out", "copy"]).code(0);
    assert_says(&stderr(&again), &["copy/idea/latest` is a folder and no link"]);
    let evaluated: Value =
        serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--out", "copy", "--data", "train", "--json"])))
            .unwrap();
    assert!(!evaluated["run"].as_str().unwrap().contains("latest"), "{evaluated}");
    let history = place.run(&["export", "idea", "--out", "copy", "--keras"]).code(0);
    let exported = stdout(&history).lines().nth(1).unwrap().to_owned();
    let curves = json(place.path(&format!("{exported}base-seed0.json")));
    assert_eq!(curves["loss"].as_array().unwrap().len(), 3, "the new run, not the copied one");
    let runs: Value = serde_json::from_str(&stdout(&place.run(&["runs", "--out", "copy", "--json"]).code(0))).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 2, "{runs}");
}
