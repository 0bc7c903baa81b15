//! Complete runs of the program: the metrics of every epoch equal PyTorch's.

use runner::metrics::confusion::Confusion;
use serde_json::Value;

use super::fixture::{assert_curve, assert_near, floats, load_fixture};
use crate::support::{TestDir, curves};

#[test]
fn digits_mlp_equals_pytorch_in_every_epoch() {
    let history = TestDir::new().history(&["digits_mlp", "--seed", "0"]);
    let golden = load_fixture("digits_mlp");
    assert_curve(&history, &golden["history"], "loss", 100, 1e-5);
    assert_curve(&history, &golden["history"], "acc", 100, 1e-3);
}

#[test]
fn mlp_xor_equals_pytorch_for_both_seeds() {
    let golden = load_fixture("mlp_xor");
    for run in golden["runs"].as_array().unwrap() {
        let seed = run["seed"].to_string();
        let history = TestDir::new().history(&["mlp_xor", "--seed", &seed]);
        // A unit that crosses 0 late in the run amplifies rounding errors: PyTorch itself differs by 4e-5 with another
        // matrix library.
        assert_curve(&history, &run["history"], "loss", 200, 1e-5);
        assert_curve(&history, &run["history"], "loss", 500, 1e-3);
        let output =
            history["learned"]["predictions"].as_array().unwrap().iter().map(|p| p["output"].clone()).collect();
        assert_near(&floats(&Value::Array(output)), &floats(&run["predictions"]), 1e-2, "predictions");
    }
}

#[test]
fn weights_of_perceptron_or_equal_pytorch() {
    let golden = load_fixture("perceptron_or");
    let run = &golden["runs"][0];
    let history = TestDir::new().history(&["perceptron_or", "--seed", "0"]);
    assert_curve(&history, &run["history"], "loss", 500, 1e-5);
    for name in ["0.weight", "0.bias"] {
        assert_near(&floats(&history["learned"]["parameters"][name]), &floats(&run["final"][name]), 1e-5, name);
    }
}

#[test]
fn seeds_with_dropout_equal_pytorch_in_one_stack() {
    let dir = TestDir::new();
    let file = dir.file(
        "dropout_digits.toml",
        r#"
            title = "Dropout against PyTorch"
            seeds = "0..3"
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
    let histories = dir.histories(&[&file]);
    for run in load_fixture("dropout_digits")["runs"].as_array().unwrap() {
        let history = histories.iter().find(|history| history["seed"] == run["seed"]).unwrap();
        assert_eq!(history["environment"]["replicas"], 4);
        for metric in ["loss", "val_loss"] {
            assert_curve(history, &run["history"], metric, 5, 1e-5);
        }
        for metric in ["acc", "val_acc"] {
            assert_curve(history, &run["history"], metric, 5, 3e-3);
        }
    }
}

#[test]
fn training_with_noise_and_without_shuffling_equals_pytorch() {
    let dir = TestDir::new();
    let file = dir.file("noise_digits.toml", NOISE_DIGITS);
    let golden = load_fixture("noise_digits");
    let history = dir.history(&[&file, "--seed", "0"]);
    assert_curve(&history, &golden["history"], "loss", 10, 1e-5);
    assert_curve(&history, &golden["history"], "acc", 10, 1e-3);
}

#[test]
fn training_in_bfloat16_equals_autocast_of_pytorch() {
    let dir = TestDir::new();
    let file = dir.file(
        "bf16_digits.toml",
        r#"
            title = "bfloat16 against PyTorch"
            [data.digits]
            scale = "unit"
            flatten = false
            [network]
            layers = [{ conv2d = { channels = 8, kernel = 3 } }, "relu", "flatten", { linear = 32 }, "relu", { linear = 10 }]
            [train]
            epochs = 3
            batch = 64
            loss = "cross_entropy"
            optimizer = { sgd = { lr = 0.05 } }
        "#,
    );
    let golden = load_fixture("bf16_digits");
    let history = dir.history(&[&file, "--seed", "0", "--precision", "bf16"]);
    // PyTorch's losses in float32 differ from these by 2e-5, 2e-4 and 4e-4.
    assert_curve(&history, &golden["history"], "loss", 3, 5e-6);
    assert_eq!(history["environment"]["precision"], "bf16");
    dir.run(&["reproduce", "bf16_digits"]).code(0);
}

#[test]
fn trials_with_noise_do_not_depend_on_earlier_trials() {
    let dir = TestDir::new();
    let file = dir.file("noise_digits.toml", NOISE_DIGITS);
    let alone = dir.history(&[&file, "--seed", "1"]);
    let second = dir.histories(&[&file, "--seeds", "0,1", "--stack", "1"]).remove(1);
    assert_eq!(second["seed"], 1);
    assert_eq!(curves(&second), curves(&alone));
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
fn two_epochs_of_overfit_mnist_equal_pytorch() {
    let history = TestDir::with_user_data_cache().history(&["overfit_mnist", "--epochs", "2", "--seed", "0"]);
    let golden = load_fixture("overfit_mnist");
    // On the same kind of processor both agree to 1e-6. Between processors, PyTorch differs from itself by up to 6e-4.
    for metric in ["loss", "acc", "val_loss", "val_acc"] {
        assert_curve(&history, &golden["history"], metric, 2, 2e-3);
    }
    assert_near(&floats(&history["test"]["loss"]), &floats(&golden["test"]["loss"]), 2e-3, "test loss");
    assert_near(&floats(&history["test"]["acc"]), &floats(&golden["test"]["acc"]), 2e-3, "test acc");
}

#[test]
fn training_with_schedule_clipping_and_penalties_equals_pytorch() {
    for run in load_fixture("schedules")["runs"].as_array().unwrap() {
        let dir = TestDir::new();
        let mut train = format!("optimizer = {}\n", to_toml(&run["train"]["optimizer"]));
        for key in ["schedule", "clip"] {
            if !run["train"][key].is_null() {
                train += &format!("{key} = {}\n", to_toml(&run["train"][key]));
            }
        }
        train += "penalty = { l1 = 1e-4, l2 = 1e-3 }";
        let history = dir.history(&[&digits_experiment(&dir, "{}", "[0]", 4, &train)]);
        assert_curve(&history, &run["history"], "loss", 4, 1e-5);
        assert_curve(&history, &run["history"], "lr", 4, 1e-10);
    }
}

#[test]
fn early_stopping_of_a_replica_equals_training_it_alone() {
    let train = r#"
        optimizer = { sgd = { lr = 0.3 } }
        schedule = { reduce_on_plateau = { patience = 0, factor = 0.5, threshold = 0.2 } }
        early_stopping = { monitor = "val_acc", patience = 1 }
        keep = "last"
    "#;
    let split = "{ validation = 0.2, test = 0.2, random_state = 1 }";
    let run = |seeds: &str| {
        let dir = TestDir::new();
        dir.histories(&[&digits_experiment(&dir, split, seeds, 6, train)])
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
        let single = run(&format!("[{seed}]")).remove(0);
        assert_eq!(
            (&single["status"], &single["history"]["epoch"]),
            (&history["status"], &history["history"]["epoch"])
        );
        for metric in ["loss", "val_loss", "acc", "val_acc", "lr"] {
            let (found, expected) = (floats(&history["history"][metric]), floats(&single["history"][metric]));
            assert_near(&found, &expected, 1e-5, &format!("seed {seed}, {metric}"));
        }
        // the weights are those of its last epoch, although the stack continued
        assert_near(&floats(&history["test"]["loss"]), &floats(&single["test"]["loss"]), 1e-5, "test loss");
    }
}

#[test]
fn one_hot_targets_change_no_curve_and_the_test_confusion_matrix_is_saved() {
    let dir = TestDir::new();
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
        dir.history(&[&dir.file("metrics.toml", &text)])
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

/// An experiment on the digits with these lines added to `[train]`.
pub(super) fn digits_experiment(dir: &TestDir, split: &str, seeds: &str, epochs: usize, train: &str) -> String {
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
    dir.file("digits.toml", &text)
}

/// Converts a JSON value to TOML.
pub(super) fn to_toml(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key} = {}", to_toml(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}
