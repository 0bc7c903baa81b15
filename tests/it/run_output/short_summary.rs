//! The summary at the end of `exp`, which fits a screen, and `show RUN` and `--verbose`, which have everything.

use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

fn lines(summary: &str) -> Vec<&str> {
    summary.lines().collect()
}

#[test]
fn one_trial_ends_with_verdict_metrics_missed_expectations_time_classes_and_files() {
    let dir = TestDir::new();
    let expect =
        "[[expect]]\nvalue = \"last.acc\"\nat_least = 0.1\n[[expect]]\nvalue = \"last.acc\"\nat_least = 0.999\n";
    let split = "[data.digits]\nsplit = { test = 0.2, validation = 0.2, random_state = 3 }";
    dir.write("idea.toml", format!("{}\n{expect}", IDEA.replace("[data.digits]", split)));
    let summary = stdout(&dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    let order = [
        "idea: ",
        "epoch (2)",
        "training",
        "validation",
        "test",
        "baseline",
        "✗ last.acc ≥ 0.999",
        "1 of 2 expectations met",
        "2 epochs in ",
        "epochs/s, peak memory ",
        "weakest classes by test F1: ",
        "files: runs/idea/",
        "next:  runner show runs/idea/",
    ];
    let places: Vec<usize> =
        order.iter().map(|words| summary.find(words).unwrap_or_else(|| panic!("no `{words}` in\n{summary}"))).collect();
    assert!(places.is_sorted(), "{summary}");
    assert!(lines(&summary).len() <= 30, "{summary}");
    for left_out in ["✓", "macro avg", "row-normalized"] {
        assert!(!summary.contains(left_out), "{left_out}:\n{summary}");
    }
    let next = summary.split("next:  runner ").nth(1).unwrap().trim();
    let shown = stdout(&dir.run(&next.split(' ').collect::<Vec<_>>()).code(0));
    let everything =
        ["✓ last.acc ≥ 0.1", "macro avg", "row-normalized (recall)", "first (1)", "base-seed0.safetensors"];
    assert_says(&shown, &everything);
    assert_says(&shown, &[lines(&summary)[0], "2 epochs in ", ", peak memory "]);
    let verbose = stdout(&dir.run(&["exp", "idea.toml", "--device", "cpu", "--verbose"]).code(0));
    assert_says(&verbose, &everything);
    let json: Value =
        serde_json::from_str(&stdout(&dir.run(&["show", &next["show ".len()..], "--json"]).code(0))).unwrap();
    assert_eq!(json["histories"][0]["variant"], "base");
    assert_eq!(json["plots"], serde_json::json!(["confusion.svg", "curves.svg"]));
}

#[test]
fn variants_are_listed_best_first_and_the_rest_is_counted() {
    let dir = TestDir::new();
    let variants: String = (0..12)
        .map(|number| {
            let set = format!("\"train.optimizer.adam.lr\" = {}", 1e-4 * 1.5_f64.powi(number));
            format!("[[variants]]\nname = \"learning_rate_of_the_adam_optimizer_{number}\"\nset = {{ {set} }}\n")
        })
        .collect();
    dir.write("idea.toml", format!("{}\n{variants}", idea_with("epochs = 2", "epochs = 1")));
    let ran = dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    let (summary, header) = (stdout(&ran), stderr(&ran).split_whitespace().collect::<Vec<_>>().join(" "));
    assert_says(
        &header,
        &["12 variants: learning_rate_of_the_adam_optimizer_0, …, learning_rate_of_the_adam_optimizer_11"],
    );
    let rows: Vec<&str> = lines(&summary).into_iter().filter(|line| line.starts_with("learning_rate")).collect();
    assert_eq!(rows.len(), 10, "{summary}");
    assert!(rows[0].contains("_11 ") && rows[9].contains("_2 "), "labels differ where they are cut:\n{summary}");
    let text = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&text, &["is the best of 12 variants, loss ", "the best 10 of 12 variants"]);
    assert!(lines(&summary).len() <= 30, "{summary}");
    assert!(lines(&summary).iter().all(|line| line.chars().count() <= 80), "{summary}");
    let three = stdout(&dir.run(&["exp", "idea.toml", "--device", "cpu", "--top", "3"]).code(0));
    assert_eq!(lines(&three).iter().filter(|line| line.starts_with("learning_rate")).count(), 3, "{three}");
}

#[test]
fn shipped_experiments_end_in_30_lines() {
    for experiment in ["regression_diabetes", "vanishing_gradient", "output_layers", "kfold_digits", "mlp_xor"] {
        let ran = TestDir::new().run(&["exp", experiment, "--epochs", "1", "--device", "cpu"]).code(0);
        let summary = stdout(&ran);
        assert!(lines(&summary).len() <= 30, "{summary}");
        let header = stderr(&ran).lines().take_while(|line| !line.is_empty()).count();
        assert!(header <= 9, "{}", stderr(&ran));
    }
}

#[test]
fn a_run_without_a_finished_trial_can_be_shown() {
    let dir = TestDir::with_idea();
    dir.run(&["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1"]).code(0);
    let run = dir.files().into_iter().find(|file| file.ends_with("base-seed0.json")).unwrap();
    let run = run.parent().unwrap();
    let record = std::fs::read_to_string(run.join("run.json")).unwrap();
    std::fs::write(run.join("run.json"), record.replace("\"finished\": true", "\"finished\": false")).unwrap();
    let show = || stdout(&dir.run(&["show", run.to_str().unwrap()]).success());
    std::fs::remove_file(run.join("base-seed1.json")).unwrap();
    let failed = dir.run(&["show", run.to_str().unwrap()]).code(2);
    assert_says(&stdout(&failed), &["idea: "]);
    assert_says(&stderr(&failed), &["the history of trial `base-seed1` is missing"]);
    std::fs::remove_file(run.join("base-seed0.json")).unwrap();
    assert_says(&show(), &["idea: 0 of 2 trials have ended"]);
    assert_says(&dir.error_message(&["show", run.to_str().unwrap(), "--set", "seeds=[1]"]), &["`--set`", "is a run"]);
}
