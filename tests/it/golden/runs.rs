//! Whole runs through the program: every epoch's figures are PyTorch's.

use runner::metrics::confusion::Confusion;
use serde_json::Value;

use super::fixture::{assert_curve, assert_near, floats, golden};
use crate::support::{Place, curves};

#[test]
fn digits_mlp_is_pytorchs_run_in_every_epoch() {
    let history = Place::new().history(&["digits_mlp", "--seed", "0"]);
    let golden = golden("digits_mlp");
    assert_curve(&history, &golden["history"], "loss", 100, 1e-5);
    assert_curve(&history, &golden["history"], "acc", 100, 1e-3);
}

#[test]
fn mlp_xor_is_pytorchs_run_with_both_seeds() {
    let golden = golden("mlp_xor");
    for run in golden["runs"].as_array().unwrap() {
        let seed = run["seed"].to_string();
        let history = Place::new().history(&["mlp_xor", "--seed", &seed]);
        // A unit that crosses 0 late in the run amplifies the last bit: PyTorch itself, with another matrix routine,
        // is 4e-5 off by then.
        assert_curve(&history, &run["history"], "loss", 200, 1e-5);
        assert_curve(&history, &run["history"], "loss", 500, 1e-3);
        let output =
            history["learned"]["predictions"].as_array().unwrap().iter().map(|p| p["output"].clone()).collect();
        assert_near(&floats(&Value::Array(output)), &floats(&run["predictions"]), 1e-2, "predictions");
    }
}

#[test]
fn perceptron_or_learns_pytorchs_weights() {
    let golden = golden("perceptron_or");
    let run = &golden["runs"][0];
    let history = Place::new().history(&["perceptron_or", "--seed", "0"]);
    assert_curve(&history, &run["history"], "loss", 500, 1e-5);
    for name in ["0.weight", "0.bias"] {
        assert_near(&floats(&history["learned"]["parameters"][name]), &floats(&run["final"][name]), 1e-5, name);
    }
}

#[test]
fn a_network_with_dropout_is_pytorchs_run_masks_included() {
    let place = Place::new();
    let file = place.file(
        "dropout_digits.toml",
        r#"
            title = "Dropout against PyTorch"
            seeds = [3]
            [data.digits]
            scale = "unit"
            split = { validation = 0.25, random_state = 7, stratify = true }
            [network]
            layers = [{ linear = 48 }, "relu", { dropout = 0.3 }, { linear = 10 }]
            [train]
            epochs = 5
            batch = 64
            loss = "cross_entropy"
            optimizer = { sgd = { lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 } }
        "#,
    );
    let history = place.history(&[&file]);
    let golden = golden("dropout_digits");
    for metric in ["loss", "val_loss"] {
        assert_curve(&history, &golden["history"], metric, 5, 1e-5);
    }
    for metric in ["acc", "val_acc"] {
        assert_curve(&history, &golden["history"], metric, 5, 3e-3);
    }
}

#[test]
fn noise_on_rows_in_their_own_order_is_pytorchs_run() {
    let place = Place::new();
    let file = place.file("noise_digits.toml", NOISE_DIGITS);
    let golden = golden("noise_digits");
    let history = place.history(&[&file, "--seed", "0"]);
    assert_curve(&history, &golden["history"], "loss", 10, 1e-5);
    assert_curve(&history, &golden["history"], "acc", 10, 1e-3);
}

#[test]
fn a_trial_with_noise_is_the_same_alone_and_after_another() {
    let place = Place::new();
    let file = place.file("noise_digits.toml", NOISE_DIGITS);
    let alone = place.history(&[&file, "--seed", "1"]);
    let after_another = place.histories(&[&file, "--seeds", "0,1", "--stack", "1"]).remove(1);
    assert_eq!(after_another["seed"], 1);
    assert_eq!(curves(&after_another), curves(&alone));
}

const NOISE_DIGITS: &str = r#"
title = "Noise against PyTorch"
seeds = [0]
[data.digits]
scale = "unit"
flatten = false
[network]
layers = ["flatten", { linear = 10 }]
[train]
epochs = 10
batch = 64
shuffle = false
loss = "cross_entropy"
optimizer = { sgd = { lr = 0.05 } }
augment = { noise = 0.3 }
"#;

#[test]
fn two_epochs_of_overfit_mnist_are_pytorchs() {
    let history = Place::with_users_data().history(&["overfit_mnist", "--epochs", "2", "--seed", "0"]);
    let golden = golden("overfit_mnist");
    // On one kind of processor the two agree to 1e-6; between kinds, PyTorch differs from itself by up to 6e-4.
    for metric in ["loss", "acc", "val_loss", "val_acc"] {
        assert_curve(&history, &golden["history"], metric, 2, 2e-3);
    }
    assert_near(&floats(&history["test"]["loss"]), &floats(&golden["test"]["loss"]), 2e-3, "test loss");
    assert_near(&floats(&history["test"]["acc"]), &floats(&golden["test"]["acc"]), 2e-3, "test acc");
}

#[test]
fn runs_with_a_schedule_clipping_and_penalties_are_pytorchs() {
    for run in golden("schedules")["runs"].as_array().unwrap() {
        let place = Place::new();
        let mut train = format!("optimizer = {}\n", inline(&run["train"]["optimizer"]));
        for key in ["schedule", "clip"] {
            if !run["train"][key].is_null() {
                train += &format!("{key} = {}\n", inline(&run["train"][key]));
            }
        }
        train += "penalty = { l1 = 1e-4, l2 = 1e-3 }";
        let history = place.history(&[&digits(&place, "{}", "[0]", 4, &train)]);
        assert_curve(&history, &run["history"], "loss", 4, 1e-5);
        assert_curve(&history, &run["history"], "lr", 4, 1e-10);
    }
}

#[test]
fn a_replica_that_stops_early_ends_as_its_lone_run_and_holds_nobody_up() {
    let train = r#"
        optimizer = { sgd = { lr = 0.3 } }
        schedule = { reduce_on_plateau = { patience = 0, factor = 0.5, threshold = 0.2 } }
        early_stopping = { monitor = "val_acc", patience = 1 }
        keep = "last"
    "#;
    let split = "{ validation = 0.2, test = 0.2, random_state = 1 }";
    let run = |seeds: &str| {
        let place = Place::new();
        place.histories(&[&digits(&place, split, seeds, 6, train)])
    };
    let seeds = [3, 1, 0];
    let stack = run("[3, 1, 0]");
    let ends: Vec<(&str, usize)> = stack
        .iter()
        .map(|history| (history["status"].as_str().unwrap(), history["history"]["epoch"].as_array().unwrap().len()))
        .collect();
    assert_eq!(ends, [("early_stopped", 3), ("completed", 6), ("completed", 6)]);
    assert_ne!(stack[1]["history"]["lr"], stack[2]["history"]["lr"], "each has its own learning rate");
    for (seed, history) in seeds.iter().zip(&stack) {
        let lone = run(&format!("[{seed}]")).remove(0);
        assert_eq!((&lone["status"], &lone["history"]["epoch"]), (&history["status"], &history["history"]["epoch"]));
        for metric in ["loss", "val_loss", "acc", "val_acc", "lr"] {
            let (found, wanted) = (floats(&history["history"][metric]), floats(&lone["history"][metric]));
            assert_near(&found, &wanted, 1e-5, &format!("seed {seed}, {metric}"));
        }
        // the weights are those of its own last epoch, though the stack has gone on
        assert_near(&floats(&history["test"]["loss"]), &floats(&lone["test"]["loss"]), 1e-5, "test loss");
    }
}

#[test]
fn a_run_keeps_the_confusion_matrix_of_its_test_rows_and_one_hot_targets_change_no_curve() {
    let place = Place::new();
    let run = |loss: &str| {
        let text = format!(
            r#"
            title = "Digits with metrics"
            seeds = [0]
            [data.digits]
            scale = "unit"
            split = {{ validation = 0.2, test = 0.2, random_state = 7, stratify = true }}
            [network]
            layers = [{{ linear = 16 }}, "relu", {{ linear = 10 }}]
            [train]
            epochs = 3
            batch = 64
            loss = {loss}
            optimizer = "adam"
            metrics = ["accuracy", {{ top_k = 3 }}, "precision", "recall", "f1"]
            monitor = "val_f1"
            "#
        );
        place.history(&[&place.file("metrics.toml", &text)])
    };
    let sparse = run("\"sparse_categorical_crossentropy\"");
    let one_hot = run("\"categorical_crossentropy\"");
    for metric in ["loss", "val_loss", "acc", "val_acc", "val_top_3"] {
        assert_curve(&sparse, &one_hot["history"], metric, 3, 1e-5);
    }
    let test = &sparse["test"];
    let confusion: Confusion = serde_json::from_value(test["confusion"].clone()).unwrap();
    assert_eq!(confusion.0.iter().flatten().sum::<u64>(), sparse["data"]["rows"]["test"].as_u64().unwrap());
    let report = confusion.report();
    assert_near(&floats(&test["acc"]), &[report.accuracy.unwrap()], 1e-12, "acc");
    assert_near(&floats(&test["f1"]), &[report.macro_average.f1.unwrap()], 1e-12, "f1");
    assert_eq!(sparse["best"]["monitor"], "val_f1");
}

/// An experiment on the digits, with these further lines of `[train]`.
pub(super) fn digits(place: &Place, split: &str, seeds: &str, epochs: usize, train: &str) -> String {
    let text = format!(
        r#"
            title = "Digits"
            seeds = {seeds}
            [data.digits]
            scale = "unit"
            split = {split}
            [network]
            layers = [{{ linear = 32 }}, "relu", {{ linear = 10 }}]
            [train]
            epochs = {epochs}
            batch = 64
            loss = "cross_entropy"
            {train}
        "#
    );
    place.file("digits.toml", &text)
}

/// A JSON value as TOML.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}
