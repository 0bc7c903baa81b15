//! Names, tags, notes, archived and deleted runs.

use serde_json::json;

use super::some_runs::{dir_with_some_runs, folder_of, ids, listed};
use crate::support::{TestDir, assert_says, stderr, stdout};

#[test]
fn a_run_gets_its_name_tags_and_note_when_it_starts() {
    let dir = TestDir::with_idea();
    let about = ["--name", "first try", "--tag", "paper", "--tag", "draft", "--note", "default settings"];
    dir.exp(&[&["idea.toml"], &about[..]].concat());
    let run = &listed(&dir, &[])[0];
    assert_eq!(
        (&run["name"], &run["tags"], &run["note"]),
        (&json!("first try"), &json!(["paper", "draft"]), &json!("default settings"))
    );
    dir.run(&["eval", "first try", "--data", "train"]).code(0);
    dir.exp(&["idea.toml"]);
    let runs = listed(&dir, &[]);
    let settings = |place: usize| runs[place]["folder"].as_str().unwrap().split('-').nth(3).unwrap().to_owned();
    assert_eq!(settings(0), settings(1), "a name is no setting");
    let record = std::fs::read_to_string(folder_of(&dir, runs[0]["id"].as_str().unwrap()).join("run.json")).unwrap();
    assert!(!record.contains("first try"));
    assert_says(&dir.error_message(&["exp", "idea.toml", "--name", "cafe"]), &["looks like the id of a run"]);
}

#[test]
fn of_runs_with_the_same_name_the_newest_is_taken_with_a_note() {
    let dir = TestDir::with_idea();
    for _ in 0..2 {
        dir.exp(&["idea.toml", "--name", "twin"]);
    }
    let newest = &ids(&dir)[1];
    assert_says(
        &stderr(&dir.run(&["eval", "twin", "--data", "train"]).code(0)),
        &["2 runs are named `twin`", &newest[..4]],
    );
}

#[test]
fn tags_notes_and_names_are_changed_and_filter_the_list() {
    let dir = dir_with_some_runs();
    let ids = ids(&dir);
    dir.run(&["runs", "tag", &ids[0], "+paper", "draft"]).code(0);
    dir.run(&["runs", "tag", &ids[0], "-draft"]).code(0);
    dir.run(&["runs", "note", &ids[0], "best so far"]).code(0);
    dir.run(&["runs", "rename", &ids[0], "winner"]).code(0);
    let tagged = listed(&dir, &["--filter", "tag=paper"]);
    assert_eq!((tagged.len(), &tagged[0]["id"], &tagged[0]["tags"]), (1, &json!(ids[0]), &json!(["paper"])));
    assert_says(&stdout(&dir.run(&["runs", "note", "winner"]).code(0)), &["best so far"]);
    assert_says(&stdout(&dir.run(&["runs"]).code(0)), &["name", "winner"]);
    assert_says(&stderr(&dir.run(&["runs", "tag", "winner", "-none"]).code(2)), &["has no tag `none`", "paper"]);
    let message = stderr(&dir.run(&["runs", "tag", "winner", "+new", "-none"]).code(2));
    assert_says(&message, &["has no tag `none`: its tags are `paper`; nothing was changed"]);
    assert_says(&stderr(&dir.run(&["runs", "tag", "idea", "x"]).code(2)), &["`idea` has 3 runs", "by its id"]);
    dir.run(&["runs", "rename", "winner", ""]).code(0);
    assert_eq!(listed(&dir, &["--filter", "tag=paper"])[0]["name"], json!(null));
}

#[test]
fn archived_runs_are_listed_only_on_request() {
    let dir = dir_with_some_runs();
    let ids = ids(&dir);
    dir.run(&["runs", "archive", &ids[0], &ids[1]]).code(0);
    assert_eq!(listed(&dir, &[]).len(), 1);
    assert_says(&stderr(&dir.run(&["runs"]).code(0)), &["2 archived runs are hidden"]);
    assert_says(&stdout(&dir.run(&["runs", "--archived"]).code(0)), &["complete, archived"]);
    dir.run(&["runs", "archive", "--undo", &ids[0]]).code(0);
    dir.run(&["runs", "unarchive", "--undo", &ids[1]]).code(2);
    dir.run(&["runs", "unarchive", &ids[1]]).code(0);
    assert_eq!(listed(&dir, &[]).len(), 3);
}

#[test]
fn runs_are_deleted_after_a_confirmation_and_latest_is_updated() {
    let dir = dir_with_some_runs();
    let ids = ids(&dir);
    let before = dir.files();
    assert_says(&stderr(&dir.run(&["runs", "rm", &ids[2]]).code(2)), &["KiB", "not a terminal", "add `--yes`"]);
    assert_eq!(dir.files(), before);
    let newest = folder_of(&dir, &ids[2]);
    dir.run(&["runs", "rm", &ids[2], "--yes"]).code(0);
    assert!(!newest.exists());
    if cfg!(unix) {
        let latest = std::fs::canonicalize(dir.path("runs/idea/latest")).unwrap();
        assert_eq!(latest, std::fs::canonicalize(folder_of(&dir, &ids[1])).unwrap());
    }
    dir.run(&["runs", "rm", &ids[0], &ids[1], "-y"]).code(0);
    assert!(!dir.path("runs/idea").exists());
}
