//! Directories that are removed or replaced during a run, and files of killed runs.

use super::faulty_disk::{BEFORE_WEIGHTS, DURING_WEIGHTS, Disk, Outcome, assert_files_complete, names};

#[test]
fn a_run_directory_removed_during_training_is_created_again() {
    for (faults, removed) in [(BEFORE_WEIGHTS, "runs"), (DURING_WEIGHTS, "runs/idea/latest/.")] {
        let disk = Disk::new();
        let held_run = disk.start_and_hold(&[], &faults);
        std::fs::remove_dir_all(disk.dir.path(removed).canonicalize().unwrap()).unwrap();
        let outcome = held_run.release().code(0);
        outcome.assert_says(&["warning: ", "was removed"]);
        disk.assert_trials_saved(&disk.run(), &[]);
        for name in ["experiment.toml", "run.json"] {
            assert!(disk.run().join(name).is_file(), "{name}");
        }
        disk.dir.run(&["eval", "idea", "--data", "train"]).code(0);
    }
}

#[test]
fn lost_files_are_reported_and_histories_are_written_again() {
    let disk = Disk::new();
    let faults = [("CALL", "open"), ("MATCH", "base-seed1.safetensors")];
    let held_run = disk.start_and_hold(&["--seeds", "0..1"], &faults);
    std::fs::remove_dir_all(disk.run()).unwrap();
    let outcome = held_run.release().code(2);
    outcome.assert_says(&["base-seed0.safetensors", "was removed"]);
    let run = disk.run();
    assert_files_complete(&run);
    let kept: Vec<bool> =
        ["base-seed0.json", "base-seed1.json", "base-seed1.safetensors"].map(|name| run.join(name).is_file()).into();
    assert_eq!(kept, [true; 3], "{:?}", names(&run));
}

#[test]
fn results_go_to_the_fallback_directory_if_a_file_replaces_the_run_directory() {
    let disk = Disk::new();
    let held_run = disk.start_and_hold(&[], &BEFORE_WEIGHTS);
    let run = disk.run();
    std::fs::remove_dir_all(&run).unwrap();
    std::fs::write(&run, "the user's own").unwrap();
    let outcome = held_run.release().code(2);
    let dir = disk.fallback_directory(&disk.cache().join("runner"));
    outcome.assert_says(&["Not a directory", &dir.display().to_string()]);
    disk.assert_trials_saved(&dir, &[]);
    assert_eq!(std::fs::read_to_string(&run).unwrap(), "the user's own");
}

#[test]
fn incomplete_files_of_a_killed_run_are_removed_on_resume() {
    let disk = Disk::new();
    let mut held_run = disk.start_and_hold(&[], &DURING_WEIGHTS);
    held_run.child.kill().unwrap();
    held_run.child.wait().unwrap();
    let run = disk.run();
    assert!(names(&run).iter().any(|name| name.ends_with(".part")), "{:?}", names(&run));
    let listed = Outcome::new(disk.command(&["runs"], &[]).output().unwrap());
    assert!(listed.code == Some(0) && !listed.stderr.contains("error"), "{}", listed.stderr);
    let resumed = disk.command(&["resume", run.to_str().unwrap()], &[]).output().unwrap();
    Outcome::new(resumed).code(0);
    disk.assert_trials_saved(&run, &[]);
}
