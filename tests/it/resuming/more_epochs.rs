//! `resume --epochs`: a finished run is trained on, and the result is that of a run with as many epochs from the start.

use serde_json::Value;

use super::run::latest_run;
use crate::support::{TestDir, assert_says, curves, idea_with, stderr};

const EVERYTHING: &str = include_str!("everything.toml");

/// An experiment on a table.
const OF_TABLE: &str = r#"
title = "A table"
[data.csv]
path = "table.csv"
target = "y"
task = "classes"
[network]
layers = [{ linear = 2 }]
[train]
epochs = 2
batch = 8
loss = "cross_entropy"
optimizer = "adam"
"#;

/// The trials of the newest run: curves, best epoch, test, status, and the bytes of the weights.
fn trials(dir: &TestDir, stems: &[&str]) -> Vec<(Value, Value, Value, Value, Vec<u8>)> {
    let run = latest_run(dir);
    let trial = |stem: &&str| {
        let text = std::fs::read(run.join(format!("{stem}.json"))).unwrap();
        let history: Value = serde_json::from_slice(&text).unwrap();
        let [best, test, status] = ["epoch", "test", "status"].map(|key| match key {
            "epoch" => history["best"]["epoch"].clone(),
            key => history[key].clone(),
        });
        (curves(&history), best, test, status, std::fs::read(run.join(format!("{stem}.safetensors"))).unwrap())
    };
    stems.iter().map(trial).collect()
}

fn dir_with_experiment(text: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", text);
    dir
}

#[test]
fn more_epochs_give_what_a_run_from_the_start_gives() {
    let stems = ["base-seed0", "base-seed1", "base-seed2"];
    // the patience is over in epoch 4: a run of 4 epochs is completed, and one of 8 epochs stops early
    let impatient = "epochs = 2\nearly_stopping = { monitor = \"loss\", min_delta = 9.0, patience = 3 }";
    let impatient = idea_with("epochs = 2", impatient).replacen("title", "seeds = [0, 1, 2]\ntitle", 1);
    for (experiment, epochs, more) in [(EVERYTHING, "4", "12"), (&impatient, "4", "8")] {
        let (dir, whole) = (dir_with_experiment(experiment), dir_with_experiment(experiment));
        dir.exp(&["idea.toml", "--epochs", epochs]);
        let (finished, before) = (latest_run(&dir), trials(&dir, &stems));
        let message = stderr(&dir.run(&["resume", finished.to_str().unwrap(), "--epochs", more]).code(0));
        assert_says(&message, &[&format!("up to epoch {more}, as a new run")]);
        whole.exp(&["idea.toml", "--epochs", more]);
        assert_ne!(latest_run(&dir), finished);
        assert!(trials(&dir, &stems) == trials(&whole, &stems), "the results differ");

        let read = |file: &str| std::fs::read_to_string(latest_run(&dir).join(file)).unwrap();
        let record: Value = serde_json::from_str(&read("run.json")).unwrap();
        assert_eq!(record["continued_from"]["epochs"].to_string(), epochs);
        let name = finished.file_name().unwrap().to_str().unwrap();
        assert_eq!(record["continued_from"]["run"], format!("idea/{name}"));
        assert_says(record["command"].as_str().unwrap(), &[&format!("--epochs {more}")]);
        dir.run(&["reproduce", latest_run(&dir).to_str().unwrap()]).code(0);

        // the finished run is as it was
        std::fs::remove_dir_all(latest_run(&dir)).unwrap();
        std::fs::remove_file(dir.path("runs/idea/latest")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&finished, dir.path("runs/idea/latest")).unwrap();
        assert!(trials(&dir, &stems) == before, "the finished run has changed");
    }
}

#[test]
fn an_interrupted_continuation_is_resumed() {
    let dir = dir_with_experiment(&idea_with("epochs = 2", "epochs = 3"));
    dir.exp(&["idea.toml", "--seeds", "0,1", "--stack", "1"]);
    dir.run(&["resume", "idea", "--epochs", "6"]).code(0);
    // as if it had been killed before its second stack
    let run = latest_run(&dir);
    let record = std::fs::read_to_string(run.join("run.json")).unwrap();
    let (first, last) = record.rsplit_once("\"done\"").unwrap();
    let unfinished = format!("{first}\"waiting\"{last}").replace("\"finished\": true", "\"finished\": false");
    std::fs::write(run.join("run.json"), unfinished).unwrap();
    std::fs::remove_file(run.join("base-seed1.json")).unwrap();
    let whole = dir_with_experiment(&idea_with("epochs = 2", "epochs = 6"));
    whole.exp(&["idea.toml", "--seeds", "0,1", "--stack", "1"]);
    dir.run(&["resume", "idea"]).code(0);
    let stems = ["base-seed0", "base-seed1"];
    assert!(trials(&dir, &stems) == trials(&whole, &stems), "the results differ");
}

#[test]
fn resume_says_why_more_epochs_are_not_possible() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    for epochs in ["1", "2"] {
        let message = dir.error_message(&["resume", "idea", "--epochs", epochs]);
        let wanted = format!("`--epochs {epochs}` is not more than the epochs already trained (2)");
        assert_says(&message, &[&wanted, "hint: `--epochs` is the total number: use `--epochs 3` or more"]);
    }
    std::fs::remove_file(latest_run(&dir).join("base-seed0.checkpoint")).unwrap();
    let message = dir.error_message(&["resume", "idea", "--epochs", "4"]);
    assert_says(&message, &["no `base-seed0.checkpoint`", "hint: train from the start: `runner exp idea.toml"]);

    let scheduled = |schedule: &str| idea_with("epochs = 2", &format!("epochs = 2\nschedule = {schedule}"));
    for (schedule, name) in [("\"cosine\"", "cosine"), ("{ warm_up = { epochs = 1, then = \"cosine\" } }", "warm_up")] {
        let dir = dir_with_experiment(&scheduled(schedule));
        dir.exp(&["idea.toml"]);
        let message = dir.error_message(&["resume", "idea", "--epochs", "4"]);
        assert_says(&message, &[&format!("the schedule `{name}` depends on the number of epochs"), "hint: train from"]);
    }
    let dir = dir_with_experiment(&idea_with(
        "epochs = 2",
        "epochs = 200\nearly_stopping = { monitor = \"loss\", min_delta = 9.0, patience = 1 }",
    ));
    dir.exp(&["idea.toml"]);
    let message = dir.error_message(&["resume", "idea", "--epochs", "400"]);
    assert_says(
        &message,
        &["more epochs would change nothing: 1 trial stopped early", "train.early_stopping.patience"],
    );
}

#[test]
fn a_continuation_whose_data_have_changed_leaves_no_run() {
    let table = |rows: usize| (0..rows).fold("x,y\n".to_owned(), |text, row| format!("{text}{row},{}\n", row % 2));
    let dir = dir_with_experiment(OF_TABLE);
    dir.write("table.csv", table(20));
    dir.exp(&["idea.toml"]);
    let names = || {
        let entries = std::fs::read_dir(dir.path("runs/idea")).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    dir.write("table.csv", table(21));
    let message = dir.error_message(&["resume", "idea", "--epochs", "4"]);
    assert_says(&message, &["the data of `csv` have changed since the run started", "restore the data"]);
    assert_eq!(names(), before, "no run directory is left");
    dir.write("table.csv", table(20));
    dir.run(&["resume", "idea", "--epochs", "4"]).code(0);
}

#[test]
fn checkpoint_never_keeps_no_checkpoint_of_the_last_epoch() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml", "--checkpoint", "never"]);
    assert!(!latest_run(&dir).join("base-seed0.checkpoint").exists());
}
