//! Results do not depend on the number of workers, and are found again.

use super::sweep_run::{
    SPACE, assert_same_results, command, dir_with_epochs, json, names, only_sweep, planned_of, run, start, sweep,
    trained, trained_of, with_short_beats, worker,
};
use crate::support::assert_says;

#[test]
fn one_and_three_workers_train_the_same_results() {
    let (one, three) = (dir_with_epochs(4), dir_with_epochs(4));
    let expected = trained(&one, &["--workers", "1"]);
    let found = trained(&three, &["--workers", "3"]);
    assert_same_results(&found, &expected);
    for stack in ["S000", "S001", "S002", "S003"] {
        assert_eq!(json(&found.join(format!("ended/{stack}.json")))["generation"], 1, "trained once");
    }
    assert_eq!(names(&found.join("claims")), ["S000.1", "S001.1", "S002.1", "S003.1"]);
}

#[test]
fn workers_that_start_together_share_the_stacks() {
    let (dir, undisturbed) = (dir_with_epochs(4), dir_with_epochs(4));
    let expected = trained(&undisturbed, &["--workers", "1"]);
    let planned = planned_of(&dir, &SPACE);
    let workers: Vec<_> = (0..8).map(|_| start(worker(&dir, &planned))).collect();
    for mut worker in workers {
        assert_eq!(worker.wait().unwrap().code(), Some(0));
    }
    assert_same_results(&planned, &expected);
    assert_eq!(names(&planned.join("claims")).len(), 4, "each stack is claimed once");
}

#[test]
fn the_best_configuration_becomes_an_experiment_with_the_same_result() {
    let dir = dir_with_epochs(4);
    let path = trained(&dir, &["--workers", "2"]);
    let shown = path.display().to_string();
    let (code, table, _) = sweep(&dir, &["table", &shown, "--top", "8"]);
    assert_eq!(code, Some(0));
    let csv = std::fs::read_to_string(path.join("table.csv")).unwrap();
    assert_eq!(sweep(&dir, &["table", "idea", "--csv"]).1, csv, "by the name of the experiment");
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let header =
        "rank,configuration,train.optimizer.adam.lr,best.val_loss,best.val_loss_std,n,trials,epochs,status,error";
    assert_eq!(lines[0].join(","), header);
    assert_eq!(lines.len(), 9);
    let losses: Vec<f64> = lines[1..].iter().map(|cells| cells[3].parse().unwrap()).collect();
    assert!(losses.is_sorted(), "{losses:?}");
    let best = lines[1][1];
    assert!(table.lines().nth(1).unwrap().starts_with(best), "{table}");

    for _again in 0..2 {
        let (code, _, stderr) = sweep(&dir, &["best", &shown, "--toml", "best.toml"]);
        assert_eq!(code, Some(0), "{stderr}");
    }
    let (code, _, stderr) = sweep(&dir, &["best", &shown, "--toml", "idea.toml"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["`idea.toml` exists and was not written by `runner sweep best`", "write to another file"]);
    let losses: Vec<f64> = dir
        .histories(&["best.toml", "--threads", "1"])
        .iter()
        .map(|history| history["best"]["val_loss"].as_f64().unwrap())
        .collect();
    let mean = losses.iter().sum::<f64>() / 2.0;
    assert!((mean - lines[1][3].parse::<f64>().unwrap()).abs() < 1e-6, "{losses:?} {csv}");

    // by another metric, from the histories
    let (code, accuracy, stderr) = sweep(&dir, &["table", &shown, "--metric", "best.val_acc", "--csv"]);
    assert_eq!(code, Some(0), "{stderr}");
    let accuracies: Vec<f64> =
        accuracy.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b) && accuracies[0] > 0.5, "{accuracies:?}");
    let (code, _, stderr) = sweep(&dir, &["table", &shown, "--metric", "test.acc"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["must not choose a configuration"]);
    let (code, _, stderr) = sweep(&dir, &["table", &shown, "--metric", "val_acc"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["no trial has the metric `val_acc`", "add a prefix: `best.val_acc` or `last.val_acc`"]);
}

#[test]
fn the_command_below_a_shortened_table_shows_all_configurations() {
    let dir = dir_with_epochs(1);
    let space =
        ["sweep", "idea.toml", "--space", "lr=log:1e-4..1e-1", "--trials", "12", "--seeds", "0", "--stack", "12"];
    let (code, table, stderr) = run(with_short_beats(dir.command(&space)));
    assert_eq!(code, Some(0), "{stderr}");
    let one_line = table.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, command) = one_line.split_once("2 more configurations: show all with `runner ").unwrap();
    let words: Vec<&str> = command.split_once('`').unwrap().0.split(' ').collect();
    let all = crate::support::stdout(&dir.run(&words).success());
    assert_eq!(all.lines().filter(|line| line.starts_with("00")).count(), 12, "{all}");
}

#[test]
fn a_stopped_sweep_continues_and_a_finished_one_does_nothing() {
    let (dir, undisturbed) = (dir_with_epochs(300), dir_with_epochs(300));
    let strict = command(&dir, &["--workers", "2", "--checkpoint", "1", "--strict"]);
    let mut child = start(strict);
    super::sweep_run::wait_for(|| {
        let stacks = super::sweep_run::sweeps(&dir).pop().map(|sweep| sweep.join("stacks"));
        stacks.is_some_and(|stacks| {
            names(&stacks).iter().any(|stack| stacks.join(stack).join("checkpoint.safetensors").exists())
        })
    });
    let path = only_sweep(&dir);
    let shown = path.display().to_string();
    let (code, _, stderr) = run(dir.command(&["sweep", "stop", &shown])); // with long beats: a busy worker is no silent one
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["the workers save checkpoints and leave"]);
    assert_eq!(child.wait().unwrap().code(), Some(1), "`--strict`: the expectations are not checked");
    assert!(names(&path.join("ended")).len() < 4, "it was stopped before its end");
    let (_, status, stderr) = sweep(&dir, &["status", &shown]);
    assert_says(&status, &["of 16 done", "stopped", "left with a checkpoint"]);
    assert!(!status.contains("in training"), "no worker has a stack: {status}");
    assert_says(&stderr, &["no worker is active"]);
    let (_, _, stderr) = sweep(&dir, &["stop", "idea.toml"]);
    assert_says(&stderr, &["already asked to stop"]);
    // a worker that starts late leaves at once
    let (code, _, stderr) = sweep(&dir, &["work", &shown]);
    assert_eq!(code, Some(0));
    assert_says(&stderr, &["the sweep was stopped"]);

    let (code, _, stderr) = run(command(&dir, &["--workers", "2", "--resume"]));
    assert_eq!(code, Some(0), "{stderr}");
    let expected = trained(&undisturbed, &["--workers", "1"]);
    assert_same_results(&only_sweep(&dir), &expected);

    let before = dir.files();
    let (code, table, stderr) = run(command(&dir, &["--resume"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["is already complete"]);
    assert_says(&table, &["best.val_loss"]);
    assert_eq!(dir.files(), before);
}

#[test]
fn the_importance_of_settings_is_shown_unless_there_is_only_one() {
    let table = |space: &[&str]| {
        let dir = dir_with_epochs(1);
        trained_of(&dir, &[space, &["--trials", "10"]].concat(), &["--workers", "1"]);
        sweep(&dir, &["table", "idea"]).1
    };
    let two = table(&["--space", "lr=log:1e-4..1e-1", "--space", "batch=8,16,32"]);
    assert_says(&two, &["importance of the settings for best.val_loss (functional ANOVA): "]);
    let one = table(&["--space", "lr=log:1e-4..1e-1"]);
    assert!(!one.contains("importance"), "{one}");
}

#[test]
fn devices_auto_means_the_cpu_on_a_machine_without_a_gpu() {
    let (dir, expected) = (dir_with_epochs(4), dir_with_epochs(4));
    let expected = trained(&expected, &["--workers", "1"]);
    let auto = [&["sweep", "idea.toml", "--devices", "auto", "--workers", "2"], &SPACE[..]].concat();
    let mut auto = with_short_beats(dir.command(&auto));
    auto.env("CUDA_VISIBLE_DEVICES", "-1");
    let (code, _, stderr) = run(auto);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["on 2 workers"]);
    let path = only_sweep(&dir);
    assert_same_results(&path, &expected);
    assert_eq!(json(&path.join("sweep.json"))["options"]["device"], "cpu");
}
