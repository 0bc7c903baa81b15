//! Devices, named pipes and links to them.

use super::damaged_run::{
    CHECKPOINT, HISTORY, RECORD, WEIGHTS, dir_with_run, dir_with_unfinished_run, errors_of_all_commands,
    replace_with_link, replace_with_pipe, within_a_minute,
};
use crate::support::{TestDir, assert_says, idea_with, stderr};

#[cfg(unix)]
#[test]
fn every_command_rejects_an_endless_history() {
    let dir = dir_with_run();
    for (to, what) in
        [("/dev/zero", "it is a device, not a regular file"), ("pipe", "it is a named pipe, not a regular file")]
    {
        let target = if to == "pipe" { dir.path("pipe") } else { to.into() };
        if to == "pipe" {
            replace_with_pipe(&dir, "pipe");
        }
        replace_with_link(&dir, HISTORY, target);
        for message in errors_of_all_commands(&dir, HISTORY) {
            assert_says(&message, &["base-seed0.json", what]);
        }
        let listed = within_a_minute(|| dir.run(&["runs"]));
        assert_says(&stderr(&listed), &[what]);
    }
    replace_with_link(&dir, HISTORY, dir.path("runs"));
    for message in errors_of_all_commands(&dir, HISTORY) {
        assert_says(&message, &["base-seed0.json"]);
    }
}

#[cfg(unix)]
#[test]
fn endless_weights_tables_images_and_experiments_are_rejected() {
    let dir = dir_with_run();
    let table = "[data.csv]\npath = \"endless\"\ntarget = \"y\"\n";
    dir.write("table.toml", idea_with("[data.digits]\n", table));
    let images = "[data.idx]\nimages = \"endless\"\nlabels = \"endless\"\n";
    dir.write("images.toml", idea_with("[data.digits]\n", images));
    replace_with_pipe(&dir, "pipe");
    for (to, what) in
        [("/dev/zero", "it is a device, not a regular file"), ("pipe", "it is a named pipe, not a regular file")]
    {
        for name in ["endless", "endless.toml", "endless.csv", "endless.json", WEIGHTS] {
            replace_with_link(&dir, name, if to == "pipe" { dir.path("pipe") } else { to.into() });
        }
        let commands: [&[&str]; 9] = [
            &["exp", "table.toml"],
            &["exp", "images.toml"],
            &["exp", "./endless.toml"],
            &["eval", HISTORY],
            &["predict", "runs/idea/latest", "--image", "endless"],
            &["predict", "runs/idea/latest", "--csv", "endless.csv"],
            &["compare", "endless.csv", "endless.json"],
            &["data", "fetch", "creditcard", "--file", "endless"],
            &["data", "describe", "endless.csv"],
        ];
        for arguments in commands {
            let message = within_a_minute(|| dir.error_message(arguments));
            assert!(message.contains(what) || !message.contains("endless"), "{arguments:?} says\n{message}");
        }
    }
}

#[cfg(unix)]
#[test]
fn latest_links_to_themselves_or_elsewhere_are_rejected() {
    let dir = TestDir::new();
    std::fs::create_dir_all(dir.path("runs/loop")).unwrap();
    replace_with_link(&dir, "runs/loop/latest", "latest");
    assert_says(&dir.error_message(&["eval", "loop"]), &["there is no history in `runs/loop`"]);
    assert_says(&stderr(&dir.run(&["runs"])), &[]);
    replace_with_link(&dir, "runs/loop/latest", ".");
    dir.error_message(&["eval", "loop"]);
    within_a_minute(|| dir.run(&["runs"]));
    within_a_minute(|| dir.error_message(&["compare", "runs/**/*.json"]));
}

#[cfg(unix)]
#[test]
fn endless_run_records_and_checkpoints_are_rejected() {
    for (name, words) in [(RECORD, "run.json`"), (CHECKPOINT, "failed to read the checkpoint `")] {
        let dir = dir_with_unfinished_run();
        replace_with_link(&dir, name, "/dev/zero");
        assert_says(
            &within_a_minute(|| dir.error_message(&["resume", "idea"])),
            &[words, "it is a device, not a regular file", "hint: "],
        );
        replace_with_pipe(&dir, name);
        assert_says(
            &within_a_minute(|| dir.error_message(&["resume", "idea"])),
            &[words, "it is a named pipe, not a regular file"],
        );
    }
}
