//! Sweeps on a disk that fails.

use super::sweep_run::{
    SPACE, UNDISTURBED_BEAT_MS, assert_same_results, command, dir_with_epochs, json, names, only_sweep, planned_of,
    run, sweep, trained, worker,
};
use crate::disk::faulty_disk::{EEXIST, EIO, ENOSPC, ESTALE, library};

#[test]
fn lost_answers_of_links_change_nothing() {
    let undisturbed = dir_with_epochs(4);
    let expected = trained(&undisturbed, &["--workers", "1"]);
    for error in [EEXIST, EIO] {
        let dir = dir_with_epochs(4);
        let mut sweep = command(&dir, &["--workers", "3"]);
        sweep.env("RUNNER_SWEEP_BEAT_MS", UNDISTURBED_BEAT_MS);
        sweep.env("LD_PRELOAD", library()).env("FAULT_UNDER", dir.path("sweeps"));
        sweep.env("FAULT_CALL", "link").env("FAULT_ERRNO", error).env("FAULT_LOG", dir.data_path("faults"));
        let (code, _, stderr) = run(sweep);
        assert_eq!(code, Some(0), "{stderr}");
        let faults = std::fs::read_to_string(dir.data_path("faults")).unwrap();
        assert!(faults.contains("link fails") && faults.contains("/claims/") && faults.contains("/ended/"), "{faults}");
        let found = only_sweep(&dir);
        assert_same_results(&found, &expected);
        assert_eq!(names(&found.join("claims")), ["S000.1", "S001.1", "S002.1", "S003.1"]);
    }
}

#[test]
fn late_listings_change_nothing() {
    let undisturbed = dir_with_epochs(4);
    let expected = trained(&undisturbed, &["--workers", "1"]);
    let dir = dir_with_epochs(4);
    let mut sweep = command(&dir, &["--workers", "3"]);
    sweep.env("LD_PRELOAD", library()).env("FAULT_UNDER", dir.path("sweeps"));
    sweep.env("FAULT_LATE", "3000").env("FAULT_LOG", dir.data_path("faults"));
    let (code, _, stderr) = run(sweep);
    assert_eq!(code, Some(0), "{stderr}");
    let faults = std::fs::read_to_string(dir.data_path("faults")).unwrap();
    assert!(faults.contains("list hides") && faults.contains("/claims/") && faults.contains("/ended/"), "{faults}");
    let found = only_sweep(&dir);
    assert_same_results(&found, &expected);
    assert_eq!(names(&found.join("claims")), ["S000.1", "S001.1", "S002.1", "S003.1"]);
}

#[test]
fn stale_files_change_nothing() {
    let undisturbed = dir_with_epochs(4);
    let expected = trained(&undisturbed, &["--workers", "1"]);
    for folder in ["/claims", "/ended", "/beats", "/data"] {
        let dir = dir_with_epochs(4);
        let mut sweep = command(&dir, &["--workers", "3"]);
        sweep.env("RUNNER_SWEEP_BEAT_MS", UNDISTURBED_BEAT_MS);
        sweep.env("LD_PRELOAD", library()).env("FAULT_UNDER", dir.path("sweeps")).env("FAULT_MATCH", folder);
        sweep.env("FAULT_CALL", "open read stat").env("FAULT_ERRNO", ESTALE).env("FAULT_EVERY", "3");
        sweep.env("FAULT_LOG", dir.data_path("faults"));
        let (code, _, stderr) = run(sweep);
        assert_eq!(code, Some(0), "{folder}: {stderr}");
        assert!(!std::fs::read_to_string(dir.data_path("faults")).unwrap().is_empty());
        let found = only_sweep(&dir);
        assert_same_results(&found, &expected);
        assert_eq!(names(&found.join("claims")), ["S000.1", "S001.1", "S002.1", "S003.1"], "{folder}: {stderr}");
    }
}

#[test]
fn a_disk_without_room_for_one_stack_fails_this_stack_only() {
    let dir = dir_with_epochs(4);
    let mut sweep = command(&dir, &["--workers", "2"]);
    sweep.env("LD_PRELOAD", library()).env("FAULT_UNDER", dir.path("sweeps")).env("FAULT_MATCH", "stacks/S002");
    sweep.env("FAULT_CALL", "open write").env("FAULT_ERRNO", ENOSPC).env("XDG_CACHE_HOME", dir.data_path("cache"));
    let (code, _, stderr) = run(sweep);
    assert_eq!(code, Some(2), "{stderr}");
    let path = only_sweep(&dir);
    let failed = |stack: &str| json(&path.join(format!("ended/{stack}.json"))).get("failure").is_some();
    assert_eq!(["S000", "S001", "S002", "S003"].map(failed), [false, false, true, false]);
    assert!(stderr.contains("12 of 16 trials, ") && stderr.contains("4 failed"), "{stderr}");
    let (code, status, _) = self::sweep(&dir, &["status", "idea"]);
    assert_eq!(code, Some(0));
    assert!(status.contains("4 of 4 ended, 1 of them failed"), "{status}");
}

#[test]
fn a_disk_without_room_for_the_histories_is_shown_beside_the_complete_table() {
    let dir = dir_with_epochs(4);
    let mut sweep = command(&dir, &["--workers", "1"]);
    sweep.env("LD_PRELOAD", library()).env("FAULT_UNDER", dir.path("sweeps")).env("FAULT_MATCH", "-seed");
    sweep.env("FAULT_CALL", "write").env("FAULT_ERRNO", ENOSPC).env("XDG_CACHE_HOME", dir.data_path("cache"));
    let (code, _, stderr) = run(sweep);
    assert_eq!(code, Some(2), "{stderr}");
    let path = only_sweep(&dir);
    let id = path.file_name().unwrap().to_string_lossy().into_owned();
    let rescued = names(&dir.data_path("cache/runner/rescued"));
    assert_eq!(rescued, ["S000", "S001", "S002", "S003"].map(|stack| format!("idea-{id}-{stack}")));
    for folder in rescued {
        assert!(stderr.contains(&format!("rescued/{folder}`")), "{stderr}");
    }
    assert!(stderr.contains("0 of 16 trials, ") && stderr.contains("16 failed"), "{stderr}");
    for command in ["table", "best"] {
        let (code, _, stderr) = self::sweep(&dir, &[command, "idea"]);
        assert_eq!(code, Some(0));
        let expected = format!("4 stacks failed: `runner sweep status sweeps/idea/{id}` shows why");
        assert!(stderr.contains(&expected), "{stderr}");
    }
}

#[test]
fn a_worker_that_cannot_publish_the_end_of_its_stack_leaves_it_to_others() {
    let (dir, undisturbed) = (dir_with_epochs(4), dir_with_epochs(4));
    let expected = trained(&undisturbed, &["--workers", "1"]);
    let path = planned_of(&dir, &SPACE);
    let mut broken = worker(&dir, &path);
    broken.env("LD_PRELOAD", library()).env("FAULT_UNDER", &path).env("FAULT_MATCH", "/ended/");
    broken.env("FAULT_CALL", "open").env("FAULT_ERRNO", EIO);
    let (code, _, stderr) = run(broken);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("failed to write `") && stderr.contains("/ended/S00"), "{stderr}");
    assert_eq!(names(&path.join("ended")), [""; 0]);
    let beats = names(&path.join("beats"));
    assert_eq!(beats.len(), 1);
    assert_eq!(std::fs::read_to_string(path.join("beats").join(&beats[0])).unwrap(), "released\n");
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert!(status.contains("0 of 16 done\n") && status.contains("left with a checkpoint by"), "{status}");

    let (code, _, stderr) = run(worker(&dir, &path));
    assert_eq!(code, Some(0), "{stderr}");
    assert_same_results(&path, &expected);
    let stack = beats[0].trim_end_matches(".1");
    assert_eq!(json(&path.join(format!("ended/{stack}.json")))["generation"], 2);
}
