//! Runs that diverge write a history, and the other replicas of their stack continue.

use serde_json::Value;

use crate::support::{TestDir, assert_says, idea_with, metric};

#[test]
fn a_nan_loss_ends_the_replica_as_diverged() {
    let dir = TestDir::with_idea();
    let arguments =
        ["exp", "idea.toml", "--epochs", "8", "--set", "train.optimizer={ sgd = { lr = 1e30 } }", "--device", "cpu"];
    dir.run(&arguments).code(0);
    let text = std::fs::read_to_string(dir.path("runs/idea/latest/base-seed0.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(history["status"], "diverged");
    assert_eq!(history["history"]["epoch"], serde_json::json!([1]));
    assert!(history["history"]["loss"] == serde_json::json!(["nan"]), "{}", history["history"]);
    assert!(history["history"].as_object().unwrap().values().flat_map(|v| v.as_array().unwrap()).all(|v| !v.is_null()));
    assert_eq!(history["best"], Value::Null);
    assert_eq!(history["diagnosis"]["label"], "diverged");
    assert_says(history["diagnosis"]["sentence"].as_str().unwrap(), &["epoch 1", "smaller learning rate"]);
}

#[test]
fn other_replicas_continue_after_one_diverges() {
    let edge = idea_with("[{ linear = 16 }, \"relu\", ", "[{ linear = 64 }, \"relu\", { linear = 64 }, \"relu\", ")
        .replace("epochs = 2", "epochs = 40")
        .replace("batch = 64", "batch = \"full\"")
        .replace("cross_entropy", "mse")
        .replace("adam = { lr = 1e-3 }", "sgd = { lr = 0.3 }");
    let dir = TestDir::new();
    dir.write("edge.toml", edge);
    let stack = dir.exp(&["edge.toml", "--seeds", "0..9"]);
    let histories = stack["histories"].as_array().unwrap();
    let (diverged, completed): (Vec<&Value>, Vec<&Value>) = histories.iter().partition(|h| h["status"] == "diverged");
    assert!(!diverged.is_empty() && !completed.is_empty(), "{} diverged of {}", diverged.len(), histories.len());

    for history in diverged {
        let loss = history["history"]["loss"].as_array().unwrap();
        let (last, before) = loss.split_last().unwrap();
        assert!(last == "inf" || last == "nan", "{last}");
        assert!(before.iter().all(Value::is_number) && loss.len() < 40, "{loss:?}");
    }
    for history in completed {
        assert_eq!(history["status"], "completed");
        assert_eq!(metric(history, "loss").len(), 40);
        let single = dir.history(&["edge.toml", "--seed", &history["seed"].to_string()]);
        assert_eq!(single["status"], "completed");
        for (stacked, single) in metric(history, "loss").iter().zip(metric(&single, "loss")).take(10) {
            assert!((stacked - single).abs() <= 1e-3 * single, "{stacked} in the stack, {single} alone");
        }
    }
}

#[test]
fn a_diverged_epoch_is_never_the_best_epoch() {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("lr = 1e-3", "lr = 1e30"));
    let history = dir.history(&["idea.toml", "--set", "train.monitor=acc"]);
    assert_eq!(history["status"], "diverged");
    assert_eq!((&history["best"], &history["test"]), (&Value::Null, &Value::Null));
}
