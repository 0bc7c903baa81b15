//! Every command ranks variants by validation metrics. A table uses one epoch and one threshold.

use serde_json::Value;

use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

/// Two networks on the digits: `quick` learns, `slow` hardly does.
const VARIANTS: &str = r#"
[[variants]]
name = "slow"
set = { "train.optimizer.adam.lr" = 1e-5 }
[[variants]]
name = "quick"
"#;

fn dir_with_trained_variants(split: &str, variants: &str) -> TestDir {
    let dir = TestDir::new();
    let experiment = idea_with("[data.digits]", &format!("[data.digits]\nsplit = {split}"));
    dir.write("idea.toml", format!("{experiment}{variants}"));
    dir
}

fn json(dir: &TestDir, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&dir.run(arguments).code(0))).unwrap()
}

const SPLIT: &str = "{ test = 0.2, validation = 0.2, random_state = 3 }";

#[test]
fn test_rows_never_select_a_variant() {
    let dir = dir_with_trained_variants(SPLIT, VARIANTS);
    let summary = stdout(&dir.run(&["exp", "idea.toml"]).success());
    let (header, quick) = (line(&summary, "variant"), line(&summary, "quick "));
    assert!(header.contains("val_acc") && header.contains("test acc"), "{summary}");
    let one_line = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&one_line, &["*: best value on validation rows", "train/val/test: best epoch by val_loss"]);
    assert_eq!(quick.matches('*').count(), 2, "val_loss and val_acc: {summary}");
    assert!(!line(&summary, "slow ").contains('*'), "{summary}");

    let compared = json(&dir, &["compare", "idea", "--json"]);
    for figure in compared["metrics"].as_array().unwrap() {
        let name = figure["name"].as_str().unwrap();
        let metric = name.split('.').nth(1).unwrap();
        let is_marked = figure["best"].as_array().unwrap().contains(&Value::Bool(true));
        assert!(!is_marked || metric.starts_with("val_"), "{figure}");
        assert!(is_marked || !name.starts_with("best.val_"), "{figure}");
    }
    let compared = stdout(&dir.run(&["compare", "idea"]).success());
    let compared = compared.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&compared, &["* = best value (", "test metrics: weights of the best epoch"]);

    let single = stdout(&dir.run(&["compare", "idea/quick", "--all"]).success());
    assert_says(&single, &["train (best epoch)", "train (last)", "val (last)", "test metrics: "]);
    assert!(!single.contains("not shown"), "{single}");

    dir.run(&["report", "idea", "-o", "report.html"]).success();
    let report = std::fs::read_to_string(dir.path("report.html")).unwrap();
    assert_says(
        &report,
        &["★ best on validation rows", "Best on validation rows: ", "Test rows: weights of the best epoch"],
    );
    let test_table = report.split("id=\"tested\"").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(!test_table.contains("best\""), "{test_table}");
}

#[test]
fn runs_shows_the_variant_selected_on_validation_rows() {
    let dir = dir_with_trained_variants(SPLIT, VARIANTS);
    dir.run(&["exp", "idea.toml", "--quiet"]).success();
    // give the variant that is worse on validation rows the best test metrics
    let folder = dir.files().into_iter().find(|file| file.ends_with("slow-seed0.json")).unwrap();
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&folder).unwrap()).unwrap();
    history["test"]["acc"] = 0.999.into();
    std::fs::write(&folder, history.to_string()).unwrap();
    let quick = folder.with_file_name("quick-seed0.json");
    let quick: Value = serde_json::from_str(&std::fs::read_to_string(quick).unwrap()).unwrap();
    for arguments in [&["runs", "--json"][..], &["runs", "--json", "--sort", "test.acc"]] {
        let runs = json(&dir, arguments);
        assert_eq!(runs[0]["test"]["value"], quick["test"]["acc"], "{runs}");
        assert_eq!(runs[0]["best"]["value"], quick["best"]["val_loss"]);
        assert_eq!(runs[0]["test"]["epoch"].as_f64(), quick["best"]["epoch"].as_f64());
    }
    let compared = json(&dir, &["compare", "idea", "--json"]);
    let test = compared["metrics"].as_array().unwrap().iter().find(|figure| figure["name"] == "test.acc").unwrap();
    assert_eq!(test["best"], serde_json::json!([false, false]));
}

#[test]
fn test_metrics_are_not_marked_without_validation_rows() {
    let dir = dir_with_trained_variants("{ test = 0.2, random_state = 3 }", VARIANTS);
    let summary = stdout(&dir.run(&["exp", "idea.toml"]).success());
    assert_says(&summary, &["*: best value on training rows", "train/test: best epoch by loss"]);
    let test_acc = line(&summary, "quick ").split_whitespace().rev().nth(1).unwrap().to_owned();
    assert!(!test_acc.contains('*'), "{summary}");
}

#[test]
fn tables_use_one_epoch_and_one_threshold() {
    let two = idea_with("[data.digits]", &format!("threshold = \"f1\"\n[data.breast_cancer]\nsplit = {SPLIT}"));
    let two = two
        .replace("{ linear = 10 }", "{ linear = 2 }")
        .replace("epochs = 2", "epochs = 6\nmetrics = [\"acc\", \"f1\"]");
    let dir = TestDir::new();
    dir.write("idea.toml", format!("{two}{VARIANTS}"));
    let summary = stdout(&dir.run(&["exp", "idea.toml", "--verbose"]).success());
    assert_says(
        &summary,
        &[
            "train/val/test: best epoch by val_loss, default threshold",
            "val/test at the threshold of each trial: best epoch by val_loss",
        ],
    );
    let tables: Vec<&str> = summary.split("\n\n").collect();
    let first = line(&summary, "variant");
    assert!(first.contains("val_f1") && !first.contains("test f1") && !first.contains("test acc"), "{summary}");
    let at_threshold = tables.iter().find(|table| table.contains("threshold  ")).unwrap();
    assert!(at_threshold.contains("test f1") && at_threshold.contains("val_f1"), "{summary}");
    let run = json(&dir, &["exp", "idea.toml", "--quiet", "--json"]);
    let mean = &run["histories"][1]["test"]["threshold"]["validation"]["f1"];
    let quick = at_threshold.lines().find(|line| line.starts_with("quick")).unwrap();
    assert!(quick.contains(&format!("{:.4}", mean.as_f64().unwrap())), "{at_threshold}");
}

#[test]
fn progress_shows_the_best_and_the_worst_variant() {
    let dir = dir_with_trained_variants(SPLIT, VARIANTS);
    let ran = dir.run(&["exp", "idea.toml"]).success();
    let message = stderr(&ran);
    assert_says(&message, &["trained together: 2 variants, seed 0 (showing the best and the worst)"]);
    let epoch = message.lines().find(|line| line.starts_with("epoch 2/2")).unwrap();
    let histories: Vec<Value> = dir
        .files()
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with("-seed0.json"))
        .map(|file| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
        .collect();
    let loss = |variant: &str| {
        let history = histories.iter().find(|history| history["variant"] == variant).unwrap();
        format!("{:.4} ({variant})", history["history"]["val_loss"][1].as_f64().unwrap())
    };
    assert_says(epoch, &[&format!("val_loss {} to {}", loss("quick"), loss("slow"))]);
}

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no `{start}` in:\n{text}"))
}
