//! `runner sweep export`: CSV of trials and a study of Optuna; notes on the results.

use serde_json::{Value, json};

use super::sweep_run::{dir_with_epochs, json as read_json, run, sweep, trained, with_short_beats};
use crate::support::assert_says;

#[test]
fn trials_become_lines_of_csv_and_trials_of_a_study() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    let (code, stdout, stderr) = sweep(&dir, &["export", "idea", "--csv", "trials.csv", "--optuna", "study.log"]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert_says(&stderr, &["wrote `trials.csv`: 16 trials", "wrote `study.log`: study `idea` with 8 trials"]);

    let csv = std::fs::read_to_string(dir.path("trials.csv")).unwrap();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let header = "configuration,stack,train.optimizer.adam.lr,seed,fold,status,epochs,best.val_loss";
    assert_eq!(lines[0].join(","), header);
    assert_eq!(lines.len(), 17);
    for cells in &lines[1..] {
        let history = read_json(&path.join(format!("stacks/{}/{}-seed{}.json", cells[1], cells[0], cells[3])));
        assert_eq!(cells[7].parse::<f64>().unwrap(), history["best"]["val_loss"].as_f64().unwrap());
        let lr = history["config"]["train"]["optimizer"]["adam"]["lr"].as_f64().unwrap();
        assert_eq!(cells[2].parse::<f64>().unwrap(), lr);
    }

    let journal = std::fs::read_to_string(dir.path("study.log")).unwrap();
    let operations: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(operations[0]["study_name"], "idea");
    assert_eq!((&operations[0]["op_code"], &operations[0]["directions"]), (&json!(0), &json!([1])));
    assert_eq!(operations.len(), 9);
    let choices = json!([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3]);
    for (number, trial) in operations[1..].iter().enumerate() {
        assert_eq!((&trial["op_code"], &trial["state"]), (&json!(4), &json!(1)));
        assert_eq!(trial["user_attrs"]["configuration"], format!("{number:04}"));
        let distribution = trial["distributions"]["train.optimizer.adam.lr"].as_str().unwrap();
        let distribution: Value = serde_json::from_str(distribution).unwrap();
        assert_eq!(distribution, json!({ "name": "CategoricalDistribution", "attributes": { "choices": choices } }));
        let chosen = &choices[trial["params"]["train.optimizer.adam.lr"].as_u64().unwrap() as usize];
        assert_eq!(*chosen, trial["user_attrs"]["settings"]["train.optimizer.adam.lr"]);
        let of_trial = lines[1..].iter().filter(|cells| trial["user_attrs"]["configuration"] == cells[0]);
        let losses: Vec<f64> = of_trial.map(|cells| cells[7].parse().unwrap()).collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        assert!(losses.len() == 2 && (trial["value"].as_f64().unwrap() - mean).abs() < 1e-12, "{trial}");
    }
}

#[test]
fn ranges_conditions_and_failures_are_exported() {
    let dir = dir_with_epochs(1);
    let table = r#"
[sweep]
trials = 12
[sweep.space]
"train.optimizer" = ["adam", { sgd = { lr = 1e30 } }]
"network.layers.0.linear.units" = { int = [4, 9], step = 2 }
"train.batch" = "= network.layers.0.linear.units * 8"
[[sweep.when]]
if = { "train.optimizer" = "adam" }
space = { "train.optimizer.adam.lr" = { log = [1e-4, 1e-1] } }
"#;
    let experiment = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    dir.write("idea.toml", format!("{experiment}\n{table}"));
    let (code, stdout, stderr) = run(with_short_beats(dir.command(&["sweep", "idea.toml", "--seeds", "0"])));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &[" of 12 trials diverged, all with optimizer=sgd(lr=1e"]);
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert_says(&status, &["note      ", "trials diverged, all with optimizer"]);
    let (code, _, stderr) = sweep(&dir, &["export", "idea", "--optuna", "study.log"]);
    assert_eq!(code, Some(0), "{stderr}");
    let journal = std::fs::read_to_string(dir.path("study.log")).unwrap();
    let mut states = Vec::new();
    for trial in journal.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let params = trial["params"].as_object().unwrap();
        let is_adam = params["train.optimizer"] == 0;
        assert_eq!(params.contains_key("train.optimizer.adam.lr"), is_adam);
        assert!(!params.contains_key("train.batch"), "the value of another setting is no parameter");
        let units = trial["distributions"]["network.layers.0.linear.units"].as_str().unwrap();
        assert_says(units, &["IntDistribution", "\"high\":8", "\"low\":4", "\"step\":2"]);
        assert_eq!(trial["state"], if is_adam { 1 } else { 3 });
        assert_eq!(trial["value"].is_null(), !is_adam);
        states.push(is_adam);
    }
    assert!(states.contains(&true) && states.contains(&false), "{states:?}");
}

#[test]
fn an_export_needs_a_form_and_results() {
    let dir = dir_with_epochs(1);
    let path = trained(&dir, &["--workers", "1"]);
    assert_says(&dir.error_message(&["sweep", "export", "idea"]), &["needs `--csv FILE` or `--optuna FILE`"]);
    let message = dir.error_message(&["sweep", "export", "idea", "--csv", "missing/trials.csv"]);
    assert_says(&message, &["failed to write `missing/trials.csv`"]);
    let experiment = std::fs::read(dir.path("idea.toml")).unwrap();
    for option in ["--csv", "--optuna"] {
        let message = dir.error_message(&["sweep", "export", "idea", option, "idea.toml"]);
        assert_says(&message, &["`idea.toml` has the name of an experiment file", "write to another file"]);
    }
    assert_eq!(std::fs::read(dir.path("idea.toml")).unwrap(), experiment);
    for stack in ["S000", "S001", "S002", "S003"] {
        std::fs::remove_file(path.join(format!("ended/{stack}.json"))).unwrap();
    }
    let message = dir.error_message(&["sweep", "export", "idea", "--csv", "trials.csv"]);
    assert_says(&message, &["there are no results yet"]);
}
