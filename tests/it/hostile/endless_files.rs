//! Devices, named pipes and links to them.

use super::damaged_run::{
    CHECKPOINT, HISTORY, RECORD, WEIGHTS, link, pipe, place_to_go_on_with, place_with_run, quickly, refused_by_all,
};
use crate::support::{Place, assert_says, idea_with, stderr};

#[cfg(unix)]
#[test]
fn a_history_that_never_ends_is_refused_by_every_command() {
    let place = place_with_run();
    for (to, what) in [("/dev/zero", "it is a device, and no file"), ("pipe", "it is a named pipe, and no file")] {
        let target = if to == "pipe" { place.path("pipe") } else { to.into() };
        if to == "pipe" {
            pipe(&place, "pipe");
        }
        link(&place, HISTORY, target);
        for said in refused_by_all(&place, HISTORY) {
            assert_says(&said, &["base-seed0.json", what]);
        }
        let listed = quickly(|| place.run(&["runs"]));
        assert_says(&stderr(&listed), &[what]);
    }
    link(&place, HISTORY, place.path("runs"));
    for said in refused_by_all(&place, HISTORY) {
        assert_says(&said, &["base-seed0.json"]);
    }
}

#[cfg(unix)]
#[test]
fn weights_a_table_a_picture_and_an_experiment_that_never_end_are_refused() {
    let place = place_with_run();
    let table = "[data.csv]\npath = \"endless\"\ntarget = \"y\"\n";
    place.write("table.toml", idea_with("[data.digits]\n", table));
    let images = "[data.idx]\nimages = \"endless\"\nlabels = \"endless\"\n";
    place.write("images.toml", idea_with("[data.digits]\n", images));
    pipe(&place, "pipe");
    for (to, what) in [("/dev/zero", "it is a device, and no file"), ("pipe", "it is a named pipe, and no file")] {
        for name in ["endless", "endless.toml", "endless.csv", "endless.json", WEIGHTS] {
            link(&place, name, if to == "pipe" { place.path("pipe") } else { to.into() });
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
            let said = quickly(|| place.refusal(arguments));
            assert!(said.contains(what) || !said.contains("endless"), "{arguments:?} says\n{said}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_latest_that_leads_to_itself_or_out_of_the_folder_is_no_run() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("runs/loop")).unwrap();
    link(&place, "runs/loop/latest", "latest");
    assert_says(&place.refusal(&["eval", "loop"]), &["there is no history in `runs/loop`"]);
    assert_says(&stderr(&place.run(&["runs"])), &[]);
    link(&place, "runs/loop/latest", ".");
    place.refusal(&["eval", "loop"]);
    quickly(|| place.run(&["runs"]));
    quickly(|| place.refusal(&["compare", "runs/**/*.json"]));
}

#[cfg(unix)]
#[test]
fn a_record_or_a_checkpoint_that_never_ends_is_refused() {
    for (name, words) in [(RECORD, "run.json`"), (CHECKPOINT, "failed to read the checkpoint `")] {
        let place = place_to_go_on_with();
        link(&place, name, "/dev/zero");
        assert_says(&quickly(|| place.refusal(&["resume", "idea"])), &[words, "it is a device, and no file", "hint: "]);
        pipe(&place, name);
        assert_says(&quickly(|| place.refusal(&["resume", "idea"])), &[words, "it is a named pipe, and no file"]);
    }
}
