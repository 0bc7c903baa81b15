//! Finished runs, unfinished runs, and runs that cannot be resumed.

use serde_json::Value;

use super::run::{dir_with_killed_run, dir_with_table, history, latest_run, resume_error, start_until_epoch, table};
use crate::support::{IDEA, RUNNER, TestDir, assert_says, curves, stderr, stdout};

#[test]
fn finished_runs_are_not_repeated() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    let before = dir.files();
    let message = stderr(&dir.run(&["resume", "idea"]).code(0));
    assert_says(&message, &["the run in `runs/idea/", "is already complete"]);
    assert_eq!(dir.files(), before);
    std::fs::remove_file(latest_run(&dir).join("base-seed0.json")).unwrap();
    dir.run(&["resume", "idea"]).code(0);
    assert_eq!(history(&dir)["status"], "completed", "missing trials are trained again");
}

#[test]
fn unfinished_runs_are_not_treated_as_finished() {
    let dir = dir_with_killed_run();
    assert_says(&stdout(&dir.run(&["runs"]).code(0)), &["idea", "interrupted "]);
}

#[test]
fn resume_reports_what_cannot_be_resumed() {
    let dir = TestDir::with_idea();
    assert_says(&dir.error_message(&["resume", "idea"]), &["no run `idea` under `runs`"]);
    dir.exp(&["idea.toml"]);
    let record = latest_run(&dir).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert_says(&dir.error_message(&["resume", "idea"]), &["run.json", "hint: restore the file: it is damaged"]);
    std::fs::write(&record, text.replace("runner.run/2", "runner.run/9")).unwrap();
    assert_says(&dir.error_message(&["resume", "idea"]), &["`runner.run/9`", "`runner.run/2`"]);
    std::fs::remove_file(&record).unwrap();
    assert_says(&dir.error_message(&["resume", "idea"]), &["runs of earlier versions have no `run.json`"]);
}

#[test]
fn resume_rejects_changed_data() {
    let dir = dir_with_table(100_000);
    let (mut child, _stderr_lines) = start_until_epoch(&dir, 3, &["--checkpoint", "1"]);
    child.kill().unwrap();
    child.wait().unwrap();
    dir.write("table.csv", table(7));
    assert_says(&resume_error(&dir), &["the data of `csv` have changed since the run started", "hint: restore"]);
}

#[test]
fn runs_can_be_resumed_from_any_directory() {
    let dir = dir_with_table(3);
    let uninterrupted = dir.history(&["idea.toml"]);
    let record = latest_run(&dir).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    // as if the process had been killed before its first checkpoint
    let unfinished = text.replace("\"finished\": true", "\"finished\": false").replace("\"done\"", "\"waiting\"");
    assert_ne!(unfinished, text);
    std::fs::write(&record, unfinished).unwrap();
    let run = latest_run(&dir);
    std::fs::remove_file(run.join("base-seed0.json")).unwrap();
    let mut elsewhere = dir.command(&["resume", run.to_str().unwrap()]);
    assert!(elsewhere.current_dir(dir.path("runs")).output().unwrap().status.success());
    assert_eq!(curves(&history(&dir)), curves(&uninterrupted));
}

/// Runs the program with an address space of 2 GB.
#[cfg(unix)]
fn run_with_memory_limit(dir: &TestDir, arguments: &[&str]) -> (String, String) {
    let mut command = dir.command_with("sh", &["-c", "ulimit -v 2000000 && exec \"$0\" \"$@\"", RUNNER]);
    let ended = command.args(arguments).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn a_failed_variant_does_not_stop_the_others_and_is_retried_on_resume() {
    let dir = TestDir::new();
    let layers = |name: &str, layers: &str| {
        let layers = format!("[{layers}, {{ dropout = 0.1 }}, {{ linear = 10 }}]");
        format!("[[variants]]\nname = \"{name}\"\nset = {{ \"network.layers\" = {layers} }}\n")
    };
    let (huge, wide) = (layers("huge", "{ linear = 15000 }, { linear = 15000 }"), layers("wide", "{ linear = 32 }"));
    dir.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"small\"\n{huge}{wide}"));
    let (shown, message) = run_with_memory_limit(&dir, &["exp", "idea.toml", "--device", "cpu"]);
    let why = ["failed to train `idea`, variant huge, seed 0, on cpu", "out of memory", "2 of 3 trials are done"];
    assert_says(&message, &why);
    assert!(!message.contains("panicked"), "{message}");
    assert_says(&shown, &["small", "wide", "not trained: huge"]);
    let run = latest_run(&dir);
    for (name, is_there) in [("small-seed0", true), ("wide-seed0", true), ("huge-seed0", false)] {
        assert_eq!(run.join(format!("{name}.json")).exists(), is_there, "{name}");
        assert_eq!(run.join(format!("{name}.safetensors")).exists(), is_there, "{name}");
    }
    let record: Value = serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["finished"], false);
    assert_says(&record.to_string(), &["\"failed\"", "out of memory"]);
    let (_, message) = run_with_memory_limit(&dir, &["resume", "idea"]);
    assert_says(&message, &["2 of 3 trials are done", "out of memory"]);
}

#[test]
fn interrupted_trials_are_resumed_even_if_the_record_says_done() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    let file = latest_run(&dir).join("base-seed0.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"completed\"", "\"interrupted\"")).unwrap();
    let record = latest_run(&dir).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("\"finished\": true", "\"finished\": false")).unwrap();
    let message = stderr(&dir.run(&["resume", "idea"]).code(0));
    assert_says(&message, &["was interrupted"]);
    assert_eq!(history(&dir)["status"], "completed");
}
