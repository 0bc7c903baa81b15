//! Ids of runs.

use std::time::{Duration, Instant};

use super::some_runs::{dir_with_some_runs, folder_of, ids};
use crate::support::{TestDir, assert_says, stderr, stdout};

#[test]
fn every_command_takes_the_beginning_of_an_id() {
    let dir = dir_with_some_runs();
    let id = &ids(&dir)[1];
    let name = folder_of(&dir, id).file_name().unwrap().to_string_lossy().into_owned();
    for arguments in [
        &["eval"][..],
        &["export", "--csv"],
        &["resume"],
        &["reproduce"],
        &["predict", "--index", "0"],
        &["report"],
        &["plot"],
        &["compare", "idea"],
        &["runs", "tag"],
    ] {
        let (command, options) = arguments.split_first().unwrap();
        let done = match *command {
            "runs" => dir.run(&["runs", "tag", &id[..6]]),
            command => dir.run(&[&[command, &id[..6]], options].concat()),
        };
        done.code(0);
    }
    let resumed = stderr(&dir.run(&["resume", &id[..4]]).code(0));
    assert_says(&resumed, &[&name, "already complete"]);
    dir.run(&["compare", &format!("{}/base", &id[..5]), "idea"]).code(0);
}

#[test]
fn ids_stay_when_the_runs_are_moved_and_differ_for_equal_settings() {
    let dir = dir_with_some_runs();
    dir.exp(&["idea.toml"]);
    let before = ids(&dir);
    assert_eq!(before.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    std::fs::rename(dir.path("runs"), dir.path("moved")).unwrap();
    let moved: serde_json::Value =
        serde_json::from_str(&stdout(&dir.run(&["runs", "--out", "moved", "--json", "--sort", "folder"]).code(0)))
            .unwrap();
    let after: Vec<&str> = moved.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert_eq!(after, before);
    dir.run(&["eval", &before[0][..5], "--out", "moved"]).code(0);
}

#[test]
fn an_experiment_wins_over_an_id_and_an_ambiguous_id_lists_its_runs() {
    let dir = TestDir::new();
    // some first digits are shared by several of these
    for run in 0..40 {
        dir.write(&format!("runs/idea/2026-01-01T0000{run:02}Z-abcdef/experiment.toml"), "");
    }
    let listed = stdout(&dir.run(&["runs", "--columns", "id,run"]).code(0));
    let ids: Vec<&str> = listed.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert!(ids.len() == 40 && ids.iter().all(|id| id.len() >= 4), "{listed}");
    let digit = |id: &&str| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1;
    let shared = &ids.iter().copied().find(digit).unwrap()[..1];
    let message = stderr(&dir.run(&["eval", shared]).code(2));
    assert_says(&message, &[&format!("the id `{shared}` is ambiguous"), "hint: name one of `", "(idea 2026-01-01T"]);
    dir.write(&format!("runs/{shared}/2026-01-01T000000Z-abcdef/experiment.toml"), "");
    let message = stderr(&dir.run(&["eval", shared]).code(2));
    assert_says(&message, &[&format!("there is no history in `runs/{shared}/2026-01-01T000000Z-abcdef`")]);
    assert_says(&dir.error_message(&["eval", "zzzz"]), &["no run `zzzz` under `runs`"]);
}

#[test]
fn an_id_is_found_among_3000_runs_without_reading_them() {
    let dir = TestDir::new();
    for run in 0..3000 {
        std::fs::create_dir_all(dir.path(&format!("runs/idea{}/2026-01-01T0{:05}Z-abcdef", run % 7, run))).unwrap();
    }
    let search = || {
        let begun = Instant::now();
        let message = dir.error_message(&["runs", "tag", "000000000000", "x"]);
        assert_says(&message, &["no run `000000000000`"]);
        begun.elapsed()
    };
    let fastest = (0..5).map(|_| search()).min().unwrap();
    assert!(fastest < Duration::from_millis(1500), "{fastest:?}"); // 50 ms on an idle machine
}
