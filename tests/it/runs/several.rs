//! Several experiments in one command, and some variants of one.

use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// [`IDEA`] with three variants and expectations about them.
fn with_variants() -> String {
    let variants = ["slow", "lr_low", "lr_high"].map(|name| {
        format!("[[variants]]\nname = \"{name}\"\nset = {{ \"train.optimizer.adam.lr\" = 0.0{} }}\n", name.len())
    });
    let expect = "[[expect]]\nmetric = \"last.loss\"\nvariant = \"lr_low\"\nat_most = 100\n\
                  [[expect]]\nmetric = \"last.loss\"\nvariant = \"slow\"\nabove = \"lr_low/last.loss\"\n\
                  [[expect]]\nmetric = \"last.loss\"\nvariant = \"lr_high\"\nabove = \"slow/last.loss\"\n";
    format!("{IDEA}\n{}{expect}", variants.concat())
}

#[test]
fn several_experiments_are_checked_first_and_then_each_is_a_run() {
    let dir = TestDir::with_idea();
    dir.write("ideas/b.toml", IDEA);
    dir.write("ideas/a.toml", IDEA);
    let all = ["exp", "idea.toml", "ideas/*.toml", "./idea.toml", "--epochs", "1"];
    let run = dir.run(&all).code(0);
    let said = stderr(&run);
    assert_says(&said, &["note: `./idea.toml` is named twice and runs once", "[1/3] idea.toml", "[2/3] ideas/a.toml"]);
    assert_says(&said, &["[3/3] ideas/b.toml", "3 of 3 experiments succeeded"]);
    for name in ["idea", "a", "b"] {
        let record: Value =
            serde_json::from_slice(&std::fs::read(dir.path(&format!("runs/{name}/latest/run.json"))).unwrap()).unwrap();
        let path = if name == "idea" { "idea.toml".to_owned() } else { format!("ideas/{name}.toml") };
        assert_eq!(record["command"], format!("runner exp {path} --epochs 1"));
    }
    let again = stderr(&dir.run(&[&all[..], &["--resume"]].concat()).code(0));
    assert_eq!(again.matches("is already complete").count(), 3, "{again}");
    let lines = stdout(&dir.run(&[&all[..], &["--json"]].concat()).code(0));
    let runs: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| run["histories"].as_array().unwrap().len() == 1));
}

#[test]
fn nothing_is_trained_if_one_of_several_is_invalid() {
    let dir = TestDir::with_idea();
    dir.write("slip.toml", idea_with("relu", "rleu"));
    dir.write("second.toml", idea_with("epochs", "epoch"));
    let message = dir.error_message(&["exp", "idea.toml", "slip.toml", "second.toml"]);
    assert_says(&message, &["failed to read `slip.toml`", "failed to read `second.toml`"]);
    assert_says(&dir.error_message(&["exp", "idea.toml", "none/*.toml"]), &["no experiment matches 'none/*.toml'"]);
}

#[test]
fn the_exit_code_of_several_is_the_worst() {
    let dir = TestDir::with_idea();
    dir.write("missed.toml", format!("{IDEA}[[expect]]\nmetric = \"last.loss\"\nat_most = 0\n"));
    dir.write("met.toml", format!("{IDEA}[[expect]]\nmetric = \"last.loss\"\nat_least = 0\n"));
    let said = stderr(&dir.run(&["exp", "missed.toml", "met.toml", "--strict"]).code(1));
    assert_says(&said, &["1 of 2 experiments succeeded; expectations missed: `missed.toml`"]);
}

#[test]
fn some_variants_are_trained_resumed_and_reproduced() {
    let dir = TestDir::new();
    dir.write("idea.toml", with_variants());
    let run = dir.run(&["exp", "idea.toml", "--variant", "lr_*"]).code(0);
    let note = "2 expectations were not checked: the variant `slow` did not run";
    assert_says(&stdout(&run), &[note, "lr_low", "lr_high"]);
    assert!(!stdout(&run).contains("✗"), "{}", stdout(&run));
    let record: Value = serde_json::from_slice(&std::fs::read(dir.path("runs/idea/latest/run.json")).unwrap()).unwrap();
    assert_eq!(record["command"], "runner exp idea.toml --variant 'lr_*'");
    assert_eq!(record["variants"], serde_json::json!(["lr_low", "lr_high"]));
    assert!(!dir.path("runs/idea/latest/slow-seed0.json").exists());
    assert_says(&stderr(&dir.run(&["resume", "idea"]).code(0)), &["already complete"]);
    dir.run(&["reproduce", "idea", "-q"]).code(0);
    let report = stdout(&dir.run(&["report", "idea", "-o", "page.html"]).code(0));
    let page = std::fs::read_to_string(dir.path("page.html")).unwrap();
    assert!(page.contains("2 expectations were not checked"), "{report}");
    // the same variants in other words are the same run
    let again =
        stderr(&dir.run(&["exp", "idea.toml", "--variant", "lr_low", "--variant", "lr_high", "--resume"]).code(0));
    assert_says(&again, &["already complete"]);
    let strict = stderr(&dir.run(&["exp", "idea.toml", "--variant", "slow", "--strict"]).code(1));
    assert_says(
        &strict,
        &["3 expectations were not checked: the variants `lr_high`, `lr_low` did not run; `--strict`"],
    );
    let message = dir.error_message(&["exp", "idea.toml", "--variant", "lr_hihg"]);
    assert_says(
        &message,
        &["`idea` has no variant `lr_hihg`", "did you mean `lr_high`?", "`slow`, `lr_low`, `lr_high`"],
    );
    dir.write("idea.toml", IDEA);
    assert_says(&dir.error_message(&["exp", "idea.toml", "--variant", "x"]), &["the experiment has no variants"]);
}
