//! Runs that diverge end with a history, and the others of their stack go on.

use serde_json::Value;

use crate::support::{Place, assert_says, idea_with, metric};

#[test]
fn a_loss_that_is_no_number_ends_the_replica_as_diverged_with_a_history() {
    let place = Place::with_idea();
    let arguments =
        ["exp", "idea.toml", "--epochs", "8", "--set", "train.optimizer={ sgd = { lr = 1e30 } }", "--device", "cpu"];
    place.run(&arguments).code(0);
    let text = std::fs::read_to_string(place.path("runs/idea/latest/base-seed0.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(history["status"], "diverged");
    assert_eq!(history["history"]["epoch"], serde_json::json!([1]));
    assert!(history["history"]["loss"] == serde_json::json!(["nan"]), "{}", history["history"]);
    assert!(history["history"].as_object().unwrap().values().flat_map(|v| v.as_array().unwrap()).all(|v| !v.is_null()));
    assert_eq!(history["best"], Value::Null);
    assert_eq!(history["diagnosis"]["verdict"], "diverged");
    assert_says(history["diagnosis"]["sentence"].as_str().unwrap(), &["epoch 1", "smaller learning rate"]);
}

#[test]
fn the_replicas_that_do_not_diverge_go_on_as_if_alone() {
    let edge = idea_with("[{ linear = 16 }, \"relu\", ", "[{ linear = 64 }, \"relu\", { linear = 64 }, \"relu\", ")
        .replace("epochs = 2", "epochs = 40")
        .replace("batch = 64", "batch = \"full\"")
        .replace("cross_entropy", "mse")
        .replace("adam = { lr = 1e-3 }", "sgd = { lr = 0.3 }");
    let place = Place::new();
    place.write("edge.toml", edge);
    let stack = place.exp(&["edge.toml", "--seeds", "0..9"]);
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
        let lone = place.history(&["edge.toml", "--seed", &history["seed"].to_string()]);
        assert_eq!(lone["status"], "completed");
        for (stacked, lone) in metric(history, "loss").iter().zip(metric(&lone, "loss")).take(10) {
            assert!((stacked - lone).abs() <= 1e-3 * lone, "{stacked} in the stack, {lone} alone");
        }
    }
}

#[test]
fn an_epoch_that_diverged_is_never_the_best_and_its_weights_are_not_kept() {
    let place = Place::new();
    place.write("idea.toml", idea_with("lr = 1e-3", "lr = 1e30"));
    let history = place.history(&["idea.toml", "--set", "train.monitor=acc"]);
    assert_eq!(history["status"], "diverged");
    assert_eq!((&history["best"], &history["test"]), (&Value::Null, &Value::Null));
}
