//! Several processes in one directory: every run has one writer.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::faulty_disk::{
    BEFORE_WEIGHTS, Disk, HeldRun, Outcome, assert_files_complete, folders, json, names, wait_for,
};

#[test]
fn a_second_writer_of_a_run_is_rejected() {
    let disk = Disk::new();
    let mut held_run = disk.start_and_hold(&[], &BEFORE_WEIGHTS);
    let run = disk.run();
    let resume = |faults| Outcome::new(disk.command(&["resume", run.to_str().unwrap()], faults).output().unwrap());
    let process = format!("process {}", held_run.child.id());
    resume(&[]).code(2).assert_says(&["is being written by another runner", &process, "hint: "]);
    assert!(names(&run).contains(".lock"));
    held_run.child.kill().unwrap();
    held_run.child.wait().unwrap();

    // the lock of a dead process does not count, and only one of two processes can resume
    std::fs::remove_file(held_run.gate_file.with_extension("reached")).unwrap();
    let gate_file = held_run.gate_file.to_str().unwrap();
    let mut resumes = disk.command(&["resume", run.to_str().unwrap()], &BEFORE_WEIGHTS);
    resumes.env("FAULT_HOLD", gate_file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let first = resumes.spawn().unwrap();
    wait_for(|| held_run.gate_file.with_extension("reached").exists());
    resume(&[]).code(2).assert_says(&["is being written by another runner"]);
    HeldRun { child: first, gate_file: held_run.gate_file.clone() }.release().code(0);
    disk.assert_trials_saved(&run, &[]);
}

#[test]
fn fifty_simultaneous_starts_write_fifty_complete_runs() {
    const RUNNERS: usize = 50;
    let disk = Disk::new();
    let gate_file = disk.dir.data_path("gate");
    let arguments = ["exp", "perceptron_and", "--epochs", "2", "--device", "cpu", "--threads", "1", "--json"];
    // all of them wait at the first file they create and then read the clock at the same time
    let runners: Vec<Child> = (0..RUNNERS)
        .map(|_| {
            let mut command = disk.command(&arguments, &[("CALL", "open"), ("MATCH", "runner-probe")]);
            command.env("FAULT_UNDER", disk.dir.path("")).env("FAULT_HOLD", &gate_file);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let reached = gate_file.with_extension("reached");
    wait_for(|| std::fs::read(&reached).is_ok_and(|lines| lines.len() == RUNNERS * "reached\n".len()));
    std::fs::write(&gate_file, "").unwrap();
    let printed: Vec<Value> = runners
        .into_iter()
        .map(|runner| Outcome::new(runner.wait_with_output().unwrap()).code(0))
        .map(|outcome| serde_json::from_str(&outcome.stdout).unwrap())
        .collect();

    let experiment = disk.dir.path("runs/perceptron_and");
    let named: BTreeSet<PathBuf> =
        printed.iter().map(|printed| disk.dir.path(printed["run"].as_str().unwrap())).collect();
    assert_eq!(named.len(), RUNNERS);
    assert_eq!(folders(&experiment).into_iter().collect::<BTreeSet<_>>(), named);
    let seconds: BTreeSet<String> =
        named.iter().map(|run| run.file_name().unwrap().to_string_lossy()[..18].to_owned()).collect();
    assert!(seconds.len() < RUNNERS / 5, "started in too many different seconds: {seconds:?}");
    for printed in &printed {
        let run = disk.dir.path(printed["run"].as_str().unwrap());
        assert_files_complete(&run);
        // durations differ between runs
        assert_eq!(json(&run.join("base-seed0.json")), printed["histories"][0]);
        for name in ["experiment.toml", "base-seed0.safetensors", "curves.svg"] {
            assert!(run.join(name).is_file(), "{name}");
        }
    }
    let mut left = names(&experiment);
    assert!(left.remove("latest"));
    assert_eq!(left.len(), RUNNERS, "{left:?}");
    let latest = std::fs::read_link(experiment.join("latest")).unwrap();
    assert!(named.contains(&experiment.join(latest)));
}
