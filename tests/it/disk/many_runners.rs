//! Several runners in one folder: one writer for each run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::faulty_disk::{BEFORE_THE_WEIGHTS, Disk, Ended, Waiting, assert_whole, folders, json, names, wait_for};

#[test]
fn a_run_has_one_writer_at_a_time_and_the_second_is_told() {
    let disk = Disk::new();
    let mut waiting = disk.exp_that_waits(&[], &BEFORE_THE_WEIGHTS);
    let run = disk.run();
    let resume = |faults| Ended::of(disk.command(&["resume", run.to_str().unwrap()], faults).output().unwrap());
    let process = format!("process {}", waiting.child.id());
    resume(&[]).code(2).says(&["is being written by another runner", &process, "hint: "]);
    assert!(names(&run).contains(".lock"));
    waiting.child.kill().unwrap();
    waiting.child.wait().unwrap();

    // the lock of the dead is no lock, and of two that go on one does
    std::fs::remove_file(waiting.gate.with_extension("reached")).unwrap();
    let gate = waiting.gate.to_str().unwrap();
    let mut resumes = disk.command(&["resume", run.to_str().unwrap()], &BEFORE_THE_WEIGHTS);
    resumes.env("FAULT_HOLD", gate).stdout(Stdio::piped()).stderr(Stdio::piped());
    let first = resumes.spawn().unwrap();
    wait_for(|| waiting.gate.with_extension("reached").exists());
    resume(&[]).code(2).says(&["is being written by another runner"]);
    Waiting { child: first, gate: waiting.gate.clone() }.go_on().code(0);
    disk.assert_kept(&run, &[]);
}

#[test]
fn fifty_that_start_in_the_same_second_leave_fifty_whole_runs() {
    const RUNNERS: usize = 50;
    let disk = Disk::new();
    let gate = disk.place.data_path("gate");
    let arguments = ["exp", "perceptron_and", "--epochs", "2", "--device", "cpu", "--threads", "1", "--json"];
    // all of them wait at the first file that they make, and then see the clock
    let runners: Vec<Child> = (0..RUNNERS)
        .map(|_| {
            let mut command = disk.command(&arguments, &[("CALL", "open"), ("MATCH", "runner-probe")]);
            command.env("FAULT_UNDER", disk.place.path("")).env("FAULT_HOLD", &gate);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let reached = gate.with_extension("reached");
    wait_for(|| std::fs::read(&reached).is_ok_and(|lines| lines.len() == RUNNERS * "reached\n".len()));
    std::fs::write(&gate, "").unwrap();
    let printed: Vec<Value> = runners
        .into_iter()
        .map(|runner| Ended::of(runner.wait_with_output().unwrap()).code(0))
        .map(|ended| serde_json::from_str(&ended.printed).unwrap())
        .collect();

    let experiment = disk.place.path("runs/perceptron_and");
    let named: BTreeSet<PathBuf> =
        printed.iter().map(|printed| disk.place.path(printed["run"].as_str().unwrap())).collect();
    assert_eq!(named.len(), RUNNERS);
    assert_eq!(folders(&experiment).into_iter().collect::<BTreeSet<_>>(), named);
    let seconds: BTreeSet<String> =
        named.iter().map(|run| run.file_name().unwrap().to_string_lossy()[..18].to_owned()).collect();
    assert!(seconds.len() < RUNNERS / 5, "they met: {seconds:?}");
    for printed in &printed {
        let run = disk.place.path(printed["run"].as_str().unwrap());
        assert_whole(&run);
        // how long it took is no two runs' own
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
