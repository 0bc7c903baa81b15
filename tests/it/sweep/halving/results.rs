//! What is shown of a sweep with halving.

use serde_json::{Value, json};

use super::{SPACE, epochs, histories};
use crate::support::{assert_says, stdout};
use crate::sweep::sweep_run::{dir_with_epochs, json as read_json, only_sweep, planned_of, run, sweep, trained_of};

const HALVING: [&str; 2] = ["--halving", "first=2,keep=0.33"];

#[test]
fn dropped_configurations_are_shown_behind_finished_ones_with_their_rung_and_epochs() {
    let dir = dir_with_epochs(12);
    let path = trained_of(&dir, &[&SPACE[..], &HALVING].concat(), &["--workers", "1"]);
    let all = histories(&path);
    assert_eq!(all.len(), 16);
    for (path, history) in &all {
        let status = history["status"].as_str().unwrap();
        assert_eq!(status == "dropped", epochs(history) < 12, "{}", path.display());
        assert!(status == "completed" || [2, 6].contains(&epochs(history)), "{status} {}", path.display());
        assert!(history["best"]["val_loss"].as_f64().unwrap() > 0.0);
    }
    // the two seeds of a configuration are dropped together
    let of = |name: &str| -> Vec<usize> {
        all.iter().filter(|(_, history)| history["variant"] == name).map(|(_, history)| epochs(history)).collect()
    };
    assert!((0..8).map(|number| of(&format!("{number:04}"))).all(|of| of.len() == 2 && of[0] == of[1]));

    let csv = std::fs::read_to_string(path.join("table.csv")).unwrap();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        lines[0].join(","),
        "rank,configuration,train.optimizer.adam.lr,best.val_loss,best.val_loss_std,n,trials,epochs,status,error,rung"
    );
    let rows: Vec<(&str, &str, &str)> = lines[1..].iter().map(|row| (row[7], row[8], row[10])).collect();
    let finished = rows.iter().take_while(|row| row.1 == "done").count();
    assert!((2..=4).contains(&finished), "at least one of each stack: {csv}");
    for (place, row) in rows.iter().enumerate() {
        let expected = match row.2 {
            "1" => ("4", "dropped"),
            "2" => ("12", "dropped"),
            _ => ("24", "done"),
        };
        assert_eq!((row.0, row.1, place < finished), (expected.0, expected.1, row.2.is_empty()), "{csv}");
    }
    let rungs: Vec<&str> = rows[finished..].iter().map(|row| row.2).collect();
    assert!(
        rungs.is_sorted_by(|a, b| a >= b) && rungs.contains(&"1"),
        "those that were dropped later are first: {csv}"
    );

    let dropped = rows.len() - finished;
    let trained: usize = all.iter().map(|(_, history)| epochs(history)).sum();
    let note = [
        format!("{dropped} of 8 configurations were dropped"),
        format!("all trials together trained {trained} epochs"),
    ];
    let note: Vec<&str> = note.iter().map(String::as_str).collect();
    let (code, table, _) = sweep(&dir, &["table", "idea"]);
    assert_eq!(code, Some(0));
    assert_says(&table.replace('\n', " "), &["dropped after epoch 2", "epochs"]);
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert_says(&status, &["16 of 16 done"]);
    for text in [table, status, sweep(&dir, &["best", "idea"]).2] {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_says(&words, &note);
    }
    let (code, _, stderr) = sweep(&dir, &["report", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    let page = std::fs::read_to_string(path.join("report.html")).unwrap();
    assert_says(&page, &["dropped after epoch 2", &format!("{dropped} dropped")]);

    // a finished configuration becomes an experiment, also if a dropped one was better at its rung
    let (code, _, stderr) = sweep(&dir, &["best", "idea", "--toml", "best.toml"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(epochs(&dir.histories(&["best.toml", "--seeds", "0", "--threads", "1"])[0]), 12);

    // a stack is an ordinary run
    let stack = path.join("stacks/S000").display().to_string();
    let shown = stdout(&dir.run(&["report", &stack, "-o", "stack.html"]).code(0));
    assert!(!shown.contains("panicked"));
    assert_says(&std::fs::read_to_string(dir.path("stack.html")).unwrap(), &["dropped"]);
    dir.run(&["eval", &stack]).code(0);
    dir.run(&["compare", &stack]).code(0);
    let message = dir.error_message(&["resume", &stack, "--epochs", "20"]);
    assert_says(&message, &["dropped trials at rungs", "train from the start"]);
}

#[test]
fn a_dry_run_shows_the_rungs_and_the_planned_epochs() {
    let dir = dir_with_epochs(20);
    let all = [&["sweep", "idea.toml", "--dry-run", "--device", "cpu"], &SPACE[..], &HALVING].concat();
    let text = stdout(&dir.run(&all).code(0)).split_whitespace().collect::<Vec<_>>().join(" ");
    // in each of two stacks four configurations train 2 epochs, two 4 more, and one 14 more, on two seeds
    let words = ["rungs after epochs 2, 6, 18", "33 % of a stack's configurations continue", "120 of 320 epochs"];
    assert_says(&text, &words);
    let plan: Value = serde_json::from_str(&stdout(&dir.run(&[&all[..], &["--json"]].concat()).code(0))).unwrap();
    let expected = json!({ "first": 2, "keep": 0.33, "rungs": [2, 6, 18], "epochs": 120, "all_epochs": 320 });
    assert_eq!(plan["halving"], expected);
}

#[test]
fn halving_is_set_in_the_file_and_further_configurations_have_it_too() {
    let dir = dir_with_epochs(8);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    let table = "[sweep]\ntrials = 4\nseeds = \"0..1\"\nhalving = { first = 2, keep = 0.5 }\n\
                 [sweep.space]\n\"train.optimizer.adam.lr\" = { log = [1e-4, 1e-1] }\n";
    dir.write("idea.toml", format!("{text}\n{table}"));
    let options = ["--stack", "8", "--threads", "1"];
    let path = trained_of(&dir, &options, &["--workers", "1"]);
    let shown = path.display().to_string();
    let (code, _, stderr) = sweep(&dir, &["extend", &shown, "--seeds", "2"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["a sweep with `halving` cannot have further seeds", "`--trials`"]);
    let (code, _, stderr) = sweep(&dir, &["extend", &shown, "--trials", "+4"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        histories(&path)
            .iter()
            .any(|(file, history)| file.to_string_lossy().contains("S001") && history["status"] == "dropped")
    );
    let (code, stdout, _) = sweep(&dir, &["verify", &shown]);
    assert_eq!(code, Some(0), "{stdout}");

    // the command line switches it off
    let plan = ["sweep", "idea.toml", "--device", "cpu", "--dry-run", "--json", "--halving", "none"];
    let (code, plan, _) = run(dir.command(&plan));
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&plan).unwrap()["halving"], Value::Null);

    // the same request finds it, another halving does not
    let again = [&["sweep", "idea.toml", "--device", "cpu", "--resume"], &options[..]].concat();
    let (code, _, stderr) = run(dir.command(&again));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["already complete"]);
    let other = [&again[..], &["--halving", "first=3,keep=0.5"]].concat();
    let (code, _, stderr) = run(dir.command(&other));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["no sweep to resume"]);
    assert_eq!(crate::sweep::sweep_run::sweeps(&dir).len(), 2);
}

#[test]
fn a_stack_in_training_has_no_number_of_epochs() {
    let dir = dir_with_epochs(12);
    let planned = planned_of(&dir, &[&SPACE[..], &HALVING].concat());
    let (code, table, _) = sweep(&dir, &["table", &planned.display().to_string()]);
    assert_eq!(code, Some(0));
    let rows: Vec<&str> = table.lines().filter(|line| line.contains("unfinished")).collect();
    assert_eq!(rows.len(), 8, "{table}");
    for row in rows {
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[cells.len() - 2..], ["–", "unfinished"], "{table}");
    }
}

#[test]
fn optuna_has_dropped_configurations_as_pruned_trials() {
    let dir = dir_with_epochs(12);
    trained_of(&dir, &[&SPACE[..], &HALVING].concat(), &["--workers", "1"]);
    let (code, _, stderr) = sweep(&dir, &["export", "idea", "--optuna", "idea.log"]);
    assert_eq!(code, Some(0), "{stderr}");
    let journal = std::fs::read_to_string(dir.path("idea.log")).unwrap();
    let trials: Vec<Value> = journal.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let pruned: Vec<&Value> = trials.iter().filter(|trial| trial["state"] == 2).collect();
    let csv = std::fs::read_to_string(only_sweep(&dir).join("table.csv")).unwrap();
    assert_eq!(pruned.len(), csv.lines().filter(|line| line.contains(",dropped,")).count());
    for trial in pruned {
        assert!(trial["value"].is_null());
        let at_rung = trial["intermediate_values"].as_object().unwrap();
        assert!(at_rung.len() == 1 && at_rung.keys().all(|epoch| ["2", "6"].contains(&epoch.as_str())), "{trial}");
    }
    assert_eq!(read_json(&only_sweep(&dir).join("sweep.json"))["halving"], json!({ "first": 2, "keep": 0.33 }));
}
