//! `runner sweep status` and `stop` of sweeps with jobs.

use super::fake_slurm::FakeSlurm;
use crate::support::{TestDir, assert_says};
use crate::sweep::sweep_run::{SPACE, dir_with_epochs, only_sweep, run, with_short_beats};

/// A sweep whose workers were submitted: the array 12 with three tasks.
fn submitted() -> (TestDir, FakeSlurm) {
    let dir = dir_with_epochs(2);
    let slurm = FakeSlurm::new(&dir);
    let words = [&["sweep", "submit", "idea.toml"], &SPACE[..], &["--workers", "3"]].concat();
    let (code, _, stderr) = run(slurm.enter(with_short_beats(dir.command(&words))));
    assert_eq!(code, Some(0), "{stderr}");
    (dir, slurm)
}

/// A line of squeue.
fn line(name: &str, state: &str, restarts: u32, place: &str) -> String {
    format!("{name:<40}{state:<20}{restarts:<12}{place:<200}\n")
}

fn status(dir: &TestDir, slurm: &FakeSlurm, more: &[&str]) -> (Option<i32>, String, String) {
    run(slurm.enter(with_short_beats(dir.command(&[&["sweep", "status", "idea"], more].concat()))))
}

#[test]
fn the_jobs_of_a_sweep_have_states_in_words() {
    let (dir, slurm) = submitted();
    let sweep = only_sweep(&dir);
    let queue = line("12_0", "RUNNING", 0, "n1") + &line("12_1", "PENDING", 0, "(Resources)");
    slurm.answer("squeue", &(queue + &line("12_2", "PENDING", 1, "(BeginTime)")));
    std::fs::write(sweep.join("slurm/12_2.log"), "S001: left with a checkpoint\ninterrupted\n").unwrap();
    let (code, stdout, stderr) = status(&dir, &slurm, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(
        &stdout,
        &["12_0: running on n1", "12_1: queued (Resources)", "12_2: preempted and waiting (BeginTime)"],
    );
    assert!(!stderr.contains("no worker is active"), "{stderr}");
    let call = slurm.call("squeue");
    assert!(call.starts_with("-h -r -j 12 -O "), "{call}");
    assert!(slurm.calls("sacct").is_empty());

    // none is in the queue any more
    slurm.refuse("squeue", "slurm_load_jobs error: Invalid job id specified\n");
    std::fs::write(sweep.join("slurm/12_0.log"), "S000: training\nall stacks have ended\n").unwrap();
    std::fs::write(sweep.join("slurm/12_1.log"), "error: no such file\n").unwrap();
    let (code, stdout, stderr) = status(&dir, &slurm, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["12_0: finished: all stacks have ended", "12_1: failed: no such file"]);
    assert_says(&stderr, &["no worker is active"]);
    let (_, stdout, _) = status(&dir, &slurm, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&json["jobs"][0]["job"], &json["jobs"][0]["state"]), (&"12_0".into(), &"finished".into()));

    // the files are enough if the controller gives no answer
    slurm.refuse("squeue", "slurm_load_jobs error: Unable to contact slurm controller\n");
    let (code, stdout, _) = status(&dir, &slurm, &[]);
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["0 of 16 done", "unknown: `squeue` failed"]);
}

#[test]
fn stopping_a_sweep_cancels_its_jobs_and_submitting_continues_it() {
    let (dir, slurm) = submitted();
    slurm.answer("squeue", &(line("12_0", "RUNNING", 0, "n1") + &line("12_2", "PENDING", 0, "(Priority)")));
    let stop = || run(slurm.enter(with_short_beats(dir.command(&["sweep", "stop", "idea"]))));
    let (code, _, stderr) = stop();
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["cancelled 2 jobs of Slurm"]);
    assert_eq!(slurm.call("scancel"), "--quiet 12_0 12_2");
    assert!(only_sweep(&dir).join("stop").exists());
    assert_eq!(slurm.calls("squeue").len(), 1, "`submit` does not ask, `stop` asks once");
    slurm.answer("squeue", "");
    let (code, _, stderr) = stop();
    assert_eq!((code, slurm.calls("scancel").len()), (Some(0), 1), "{stderr}");
    assert!(slurm.calls("sacct").is_empty());
    let words = ["sweep", "submit", "idea", "--workers", "1"];
    let (code, _, stderr) = run(slurm.enter(with_short_beats(dir.command(&words))));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!only_sweep(&dir).join("stop").exists());
}
