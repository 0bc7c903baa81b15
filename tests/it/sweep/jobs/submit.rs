//! `runner sweep submit` and `runner exp --slurm`: scripts, calls of sbatch, and errors.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fake_slurm::FakeSlurm;
use crate::support::{TestDir, assert_says};
use crate::sweep::sweep_run::{
    SPACE, dir_with_epochs, json, names, only_sweep, run, sweeps, trained, with_short_beats,
};

fn submit(dir: &TestDir, slurm: &FakeSlurm, arguments: &[&str]) -> (Option<i32>, String, String) {
    run(slurm.enter(with_short_beats(dir.command(&[&["sweep", "submit"], arguments].concat()))))
}

/// Runs a script as Slurm would, but at once and without its environment.
pub fn run_script(script: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new("bash");
    command.arg(script).env("CUDA_VISIBLE_DEVICES", "").env("RUNNER_SWEEP_BEAT_MS", "100");
    run(command)
}

fn text(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_submitted_sweep_ends_with_the_table_of_one_without_slurm() {
    let (dir, other) = (dir_with_epochs(2), dir_with_epochs(2));
    let slurm = FakeSlurm::new(&dir);
    let arguments =
        [&["idea.toml"], &SPACE[..], &["--workers", "2", "--json", "--", "--time=10:00", "-p", "low"]].concat();
    let (code, stdout, stderr) = submit(&dir, &slurm, &arguments);
    assert_eq!(code, Some(0), "{stderr}");
    let sweep = only_sweep(&dir);
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(printed["jobs"], serde_json::json!([{ "id": "12", "tasks": 2 }]));
    assert_eq!(names(&sweep.join("slurm")), ["submit-1.json", "submit-1.sh"]);
    let script = sweep.join("slurm/submit-1.sh");
    let calls = slurm.calls("sbatch");
    assert!(calls[0].starts_with("--test-only --time=10:00 -p low "), "{calls:?}");
    assert_eq!(calls[1], format!("--parsable --time=10:00 -p low {}", script.display()));
    assert_eq!(calls.len(), 2);
    let script_text = text(script.clone());
    let lines: Vec<&str> = script_text.lines().collect();
    for directive in ["--array=0-1", "--requeue", "--open-mode=append", "--signal=B:USR2@150", "--cpus-per-task=1"] {
        assert!(lines.contains(&format!("#SBATCH {directive}").as_str()), "{directive} in:\n{script_text}");
    }
    let last = lines.last().unwrap();
    assert!(last.starts_with("exec /") && last.contains(&format!("runner sweep work {}", sweep.display())), "{last}");
    let record = json(&sweep.join("slurm/submit-1.json"));
    assert_eq!(
        (&record["jobs"], &record["options"]),
        (&printed["jobs"], &serde_json::json!(["--time=10:00", "-p", "low"]))
    );

    let (code, _, log) = run_script(&script);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.trim_end().ends_with("all stacks have ended"), "{log}");
    let expected = trained(&other, &[]);
    crate::sweep::sweep_run::assert_same_results(&sweep, &expected);
    let (code, stdout, stderr) = run(dir.command(&["sweep", "verify", "idea"]));
    assert_eq!(code, Some(0), "`slurm/` is no unknown file:\n{stdout}{stderr}");

    // a complete sweep gets no workers
    let (code, _, stderr) = submit(&dir, &slurm, &[&sweep.display().to_string(), "--workers", "3"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["already complete"]);
    assert_eq!(slurm.calls("sbatch").len(), 2);
}

#[test]
fn further_workers_are_submitted_for_a_sweep_that_exists() {
    let dir = dir_with_epochs(2);
    let slurm = FakeSlurm::new(&dir);
    let (code, _, stderr) = submit(&dir, &slurm, &[&["idea.toml"], &SPACE[..], &["--workers", "2"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    let sweep = only_sweep(&dir).display().to_string();
    for name in [sweep.as_str(), "idea", "idea.toml"] {
        let (code, stdout, stderr) = submit(&dir, &slurm, &[name, "--workers", "3"]);
        assert_eq!(code, Some(0), "{stderr}");
        assert_says(&stdout, &["submitted job 1", "3 workers"]);
    }
    assert_eq!(sweeps(&dir).len(), 1, "no other sweep was started");
    assert_says(&text(only_sweep(&dir).join("slurm/submit-4.sh")), &["--array=0-2"]);
    let (code, _, stderr) = submit(&dir, &slurm, &[&sweep, "--workers", "1", "--epochs", "3"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["the settings of the sweep in `", "are fixed"]);
}

#[test]
fn a_chain_has_follow_up_jobs_of_the_same_name() {
    let dir = dir_with_epochs(2);
    let slurm = FakeSlurm::new(&dir);
    let arguments = [&["idea.toml"], &SPACE[..], &["--workers", "2", "--chain", "1"]].concat();
    let (code, stdout, stderr) = submit(&dir, &slurm, &arguments);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["submitted jobs 12, 13, 14, 15: 2 workers, 1 follow-up job for each"]);
    let script = only_sweep(&dir).join("slurm/submit-1.sh");
    let shown = script.display();
    assert_eq!(
        slurm.calls("sbatch")[1..],
        [
            format!("--parsable --job-name=idea-submit-1-0 {shown}"),
            format!("--parsable --job-name=idea-submit-1-0 --dependency=singleton {shown}"),
            format!("--parsable --job-name=idea-submit-1-1 {shown}"),
            format!("--parsable --job-name=idea-submit-1-1 --dependency=singleton {shown}"),
        ]
    );
    let script = text(script);
    assert!(script.contains("export RUNNER_SLURM_CHAIN=1") && !script.contains("--array"), "{script}");
    let jobs = json(&only_sweep(&dir).join("slurm/submit-1.json"))["jobs"].clone();
    assert_eq!(jobs[1], serde_json::json!({ "id": "13", "follows": "12" }));
}

#[test]
fn printing_submits_and_writes_nothing() {
    let dir = dir_with_epochs(2);
    let slurm = FakeSlurm::new(&dir);
    let before = dir.files();
    let (code, stdout, stderr) =
        submit(&dir, &slurm, &[&["idea.toml"], &SPACE[..], &["--workers", "4", "--print"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("#!/bin/bash\n"), "{stdout}");
    assert_says(&stdout, &["#SBATCH --array=0-3\n", "/sweeps/idea/TIME-ID"]);
    let (code, stdout, _) =
        run(slurm.enter(dir.command(&["exp", "idea.toml", "--slurm", "--print", "--", "--time=1:00:00"])));
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["runner resume /", "/runs/idea/TIME-ID --checkpoint 30s", "--signal=B:USR2@180"]);
    assert!(!stdout.contains("--array"), "{stdout}");
    assert_eq!(dir.files(), before);
    assert!(slurm.calls("sbatch").is_empty());
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let dir = dir_with_epochs(2);
    let slurm = FakeSlurm::new(&dir);
    let before = dir.files();
    let refused = |more: &[&str]| {
        let (code, stdout, stderr) = submit(&dir, &slurm, &[&["idea.toml"], &SPACE[..], more].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert_eq!(dir.files(), before, "{stderr}");
        stderr
    };
    assert_says(&refused(&["--workers", "0"]), &["at least 1"]);
    assert_says(&refused(&["--workers", "2", "--", "--array=0-9"]), &["`--array=0-9`", "`--workers N`"]);
    assert_says(&refused(&["--workers", "2", "--", "--signal=USR1@9"]), &["`runner` sets `--signal`"]);
    assert_says(&refused(&["--workers", "2", "--", "job.sh"]), &["`job.sh` after `--` is not an option of sbatch"]);
    assert_says(
        &refused(&["--workers", "2", "--chain", "2", "--", "-d", "afterok:3"]),
        &["`runner` sets `--dependency`"],
    );
    slurm.refuse("sbatch", "sbatch: error: invalid partition specified: nowhere\n");
    assert_says(&refused(&["--workers", "2", "--", "-p", "nowhere"]), &["invalid partition specified: nowhere"]);
    slurm.remove("sbatch");
    let mut without =
        slurm.enter(dir.command(&["sweep", "submit", "idea.toml", "--space", "lr=0.1,0.2", "--workers", "2"]));
    without.env("PATH", dir.data_path("slurm-bin"));
    let (code, _, stderr) = run(without);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["`sbatch` is not in `PATH`", "login node"]);
    let (code, _, stderr) = run(slurm.enter(dir.command(&["exp", "idea.toml", "--", "--time=1:00"])));
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["--slurm"]);
    assert_eq!(dir.files(), before);
}

#[test]
fn a_run_as_a_job_has_the_history_of_one_without() {
    let (dir, other) = (dir_with_epochs(3), dir_with_epochs(3));
    let slurm = FakeSlurm::new(&dir);
    let (code, stdout, stderr) =
        run(slurm.enter(dir.command(&["exp", "idea.toml", "--seeds", "0,1", "--threads", "1", "--slurm", "--json"])));
    assert_eq!(code, Some(0), "{stderr}");
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let folder = PathBuf::from(printed["run"].as_str().unwrap());
    assert_eq!(names(&folder.join("slurm")), ["submit-1.json", "submit-1.sh"]);
    let (code, _, log) = run_script(&folder.join("slurm/submit-1.sh"));
    assert_eq!(code, Some(0), "{log}");
    let expected = other.histories(&["idea.toml", "--seeds", "0,1", "--threads", "1"]);
    for (seed, expected) in expected.iter().enumerate() {
        let found = json(&folder.join(format!("base-seed{seed}.json")));
        let without_seconds = |history: &serde_json::Value| {
            let mut history = history["history"].clone();
            history.as_object_mut().unwrap().remove("seconds");
            history
        };
        assert_eq!(without_seconds(&found), without_seconds(expected));
    }
    // the script can be started again
    let (code, _, log) = run_script(&folder.join("slurm/submit-1.sh"));
    assert_eq!(code, Some(0), "{log}");
    assert_says(&log, &["already complete"]);
}

#[test]
fn gpus_need_a_libtorch_with_cuda_and_workers_need_stacks() {
    let dir = dir_with_epochs(2);
    let slurm = FakeSlurm::new(&dir);
    let before = dir.files();
    let for_gpus = [&["idea.toml"], &SPACE[..], &["--workers", "6", "--", "--gres=gpu:1"]].concat();
    let (code, stdout, stderr) = submit(&dir, &slurm, &for_gpus);
    if has_cuda_library(&dir, &slurm) {
        assert_eq!(code, Some(0), "{stderr}");
    } else {
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert_says(&stderr, &["the jobs are to train on a GPU", "has no CUDA library", "or use `--device cpu`"]);
        let (code, _, stderr) = run(slurm.enter(dir.command(&["exp", "idea.toml", "--slurm", "--", "-G1"])));
        assert_eq!(code, Some(2));
        assert_says(&stderr, &["the jobs are to train on a GPU", "has no CUDA library"]);
        assert_eq!(dir.files(), before, "nothing is written");
        assert!(slurm.calls("sbatch").is_empty());
    }
    let on_cpus = [&["idea.toml", "--device", "cpu"], &SPACE[..], &["--workers", "6", "--", "--gres=gpu:1"]].concat();
    let (code, _, stderr) = submit(&dir, &slurm, &on_cpus);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["note: 4 stacks are left to train, so 2 of 6 workers would only wait"]);
    let (code, _, stderr) = submit(&dir, &slurm, &["idea", "--workers", "4"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("note:"), "{stderr}");
}

/// Whether the libtorch of the script of a job has a CUDA library.
fn has_cuda_library(dir: &TestDir, slurm: &FakeSlurm) -> bool {
    let print = ["exp", "idea.toml", "--device", "cpu", "--slurm", "--print"];
    let (code, script, stderr) = run(slurm.enter(dir.command(&print)));
    assert_eq!(code, Some(0), "{stderr}");
    let path = script.lines().find_map(|line| line.strip_prefix("export LD_LIBRARY_PATH=\"")).unwrap();
    let folder = PathBuf::from(path.split("${").next().unwrap());
    assert!(folder.join("libtorch_cpu.so").exists(), "{path}");
    folder.join("libtorch_cuda.so").exists()
}
