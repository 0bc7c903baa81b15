//! Folders that are removed or replaced while a run goes on, and what a killed run leaves.

use super::faulty_disk::{AMID_THE_WEIGHTS, BEFORE_THE_WEIGHTS, Disk, Ended, assert_whole, names};

#[test]
fn a_folder_that_is_removed_while_the_run_goes_on_is_made_anew() {
    for (faults, removed) in [(BEFORE_THE_WEIGHTS, "runs"), (AMID_THE_WEIGHTS, "runs/idea/latest/.")] {
        let disk = Disk::new();
        let waiting = disk.exp_that_waits(&[], &faults);
        std::fs::remove_dir_all(disk.place.path(removed).canonicalize().unwrap()).unwrap();
        let ended = waiting.go_on().code(0);
        ended.says(&["warning: ", "was removed"]);
        disk.assert_kept(&disk.run(), &[]);
        for name in ["experiment.toml", "run.json"] {
            assert!(disk.run().join(name).is_file(), "{name}");
        }
        disk.place.run(&["eval", "idea", "--data", "train"]).code(0);
    }
}

#[test]
fn what_a_removed_folder_took_with_it_is_named_and_histories_are_written_again() {
    let disk = Disk::new();
    let faults = [("CALL", "open"), ("MATCH", "base-seed1.safetensors")];
    let waiting = disk.exp_that_waits(&["--seeds", "0..1"], &faults);
    std::fs::remove_dir_all(disk.run()).unwrap();
    let ended = waiting.go_on().code(2);
    ended.says(&["base-seed0.safetensors", "was removed"]);
    let run = disk.run();
    assert_whole(&run);
    let kept: Vec<bool> =
        ["base-seed0.json", "base-seed1.json", "base-seed1.safetensors"].map(|name| run.join(name).is_file()).into();
    assert_eq!(kept, [true; 3], "{:?}", names(&run));
}

#[test]
fn a_folder_that_is_replaced_by_a_file_is_left_alone_and_what_was_trained_is_rescued() {
    let disk = Disk::new();
    let waiting = disk.exp_that_waits(&[], &BEFORE_THE_WEIGHTS);
    let run = disk.run();
    std::fs::remove_dir_all(&run).unwrap();
    std::fs::write(&run, "the user's own").unwrap();
    let ended = waiting.go_on().code(2);
    let place = disk.rescued(&disk.cache().join("runner"));
    ended.says(&["Not a directory", &place.display().to_string()]);
    disk.assert_kept(&place, &[]);
    assert_eq!(std::fs::read_to_string(&run).unwrap(), "the user's own");
}

#[test]
fn what_a_killed_run_has_half_written_is_removed_when_it_goes_on() {
    let disk = Disk::new();
    let mut waiting = disk.exp_that_waits(&[], &AMID_THE_WEIGHTS);
    waiting.child.kill().unwrap();
    waiting.child.wait().unwrap();
    let run = disk.run();
    assert!(names(&run).iter().any(|name| name.ends_with(".part")), "{:?}", names(&run));
    let listed = Ended::of(disk.command(&["runs"], &[]).output().unwrap());
    assert!(listed.code == Some(0) && !listed.said.contains("error"), "{}", listed.said);
    let resumed = disk.command(&["resume", run.to_str().unwrap()], &[]).output().unwrap();
    Ended::of(resumed).code(0);
    disk.assert_kept(&run, &[]);
}
