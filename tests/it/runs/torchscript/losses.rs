//! Losses and metrics.

use serde_json::Value;

use super::{assert_commands_use_copies, copy};
use crate::golden::fixture::{assert_near, floats, load_fixture};
use crate::support::{TestDir, assert_says, curves, stdout};

/// Digits with the focal loss and Dice.
const FOCAL: &str = r#"
title = "A loss and a metric written in PyTorch"
[data.digits]
scale = "unit"
split = { validation = 0.25, random_state = 7, stratify = true }
[network]
layers = [{ linear = 16 }, "tanh", { linear = 10 }]
[train]
epochs = 5
batch = 64
loss = { torchscript = "loss.pt" }
metrics = ["acc", { torchscript = "dice.pt", name = "own", higher_is_better = true }]
optimizer = { adam = { lr = 1e-2 } }
"#;

/// A table with four features.
const TABLE: &str = r#"
title = "A loss written in PyTorch"
[data.csv]
path = "table.csv"
TARGET
split = { validation = 0.25, random_state = 7 }
[network]
layers = [{ linear = 8 }, "tanh", { linear = OUTPUTS }]
[train]
epochs = 5
batch = 16
loss = { torchscript = "loss.pt" }
METRICS
optimizer = { adam = { lr = 1e-2 } }
"#;

/// A directory with the experiment on the digits, this loss and Dice.
fn dir_with(loss: &str) -> TestDir {
    let dir = TestDir::new();
    copy(&dir, loss, "loss.pt");
    copy(&dir, "dice.pt", "dice.pt");
    dir.write("idea.toml", FOCAL);
    dir
}

/// The golden case of this name.
fn case(name: &str) -> Value {
    let fixture = load_fixture("torchscript_losses");
    fixture["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone()
}

/// A directory with a table and an experiment on it.
fn table_dir(case: &Value, target: &str, outputs: &str, metrics: &str) -> TestDir {
    let dir = TestDir::new();
    copy(&dir, case["file"].as_str().unwrap(), "loss.pt");
    copy(&dir, "within.pt", "within.pt");
    dir.write("table.csv", case["table"].as_str().unwrap());
    dir.write("idea.toml", TABLE.replace("TARGET", target).replace("OUTPUTS", outputs).replace("METRICS", metrics));
    dir
}

#[track_caller]
fn assert_curves(history: &Value, golden: &Value, metric: &str) {
    let golden = golden.as_object().unwrap();
    for (name, wanted) in golden {
        let name = name.replace("metric", metric);
        assert_near(&floats(&history["history"][&name]), &floats(wanted), 1e-6, &name);
    }
}

#[test]
fn curves_of_classes_equal_those_of_pytorch_for_seeds_alone_and_in_a_stack() {
    let (dir, case) = (dir_with("focal.pt"), case("focal"));
    for stack in ["1", "2"] {
        let arguments = ["idea.toml", "--seeds", "0,1", "--threads", "1", "--stack", stack];
        for (history, golden) in dir.histories(&arguments).iter().zip(case["histories"].as_array().unwrap()) {
            assert_curves(history, golden, "own");
        }
    }
}

#[test]
fn curves_of_weighted_rows_and_of_labels_equal_those_of_pytorch() {
    let huber = case("huber");
    let metrics = "metrics = [{ torchscript = \"within.pt\", name = \"within\", higher_is_better = true }]";
    let dir = table_dir(&huber, "target = \"y\"\nweights = \"w\"", "1", metrics);
    let history = dir.history(&["idea.toml", "--seed", "0", "--threads", "1"]);
    assert_curves(&history, &huber["histories"][0], "within");
    let labels = case("labels");
    let dir = table_dir(&labels, "target = [\"y\", \"z\"]\ntask = \"labels\"", "2", "");
    let history = dir.history(&["idea.toml", "--seed", "0", "--threads", "1"]);
    assert_curves(&history, &labels["histories"][0], "");
}

#[test]
fn a_metric_decides_the_best_epoch_and_is_tested_expected_listed_and_compared() {
    let dir = dir_with("focal.pt");
    let expect = "[[expect]]\nvalue = \"test.own\"\nat_least = 0.5\n";
    let monitored = FOCAL.replace("validation = 0.25", "validation = 0.25, test = 0.2").replace(
        "epochs = 5",
        "epochs = 5\nmonitor = \"val_own\"\nearly_stopping = { patience = 2, monitor = \"val_own\" }",
    );
    dir.write("idea.toml", format!("{monitored}{expect}"));
    let history = dir.history(&["idea.toml", "--seed", "0"]);
    assert_eq!(history["best"]["monitor"], "val_own");
    let own = floats(&history["history"]["val_own"]);
    let largest = own.iter().copied().fold(f64::MIN, f64::max);
    assert_eq!(history["best"]["val_own"].as_f64().unwrap(), largest);
    assert!(history["test"]["own"].as_f64().unwrap() > 0.5);
    assert_eq!(history["expectations"][0]["met"], true, "{}", history["expectations"]);
    let shown = format!("{:.4}", history["test"]["own"].as_f64().unwrap());
    assert_says(&stdout(&dir.run(&["runs", "--columns", "test.own"]).code(0)), &["test.own", &shown]);
    assert_says(
        &dir.error_message(&["exp", "idea.toml", "--set", "train.monitor=val_onw"]),
        &["did you mean `val_own`?"],
    );
}

#[test]
fn a_run_keeps_copies_that_all_commands_use_and_histories_have_the_checksums() {
    let dir = dir_with("focal.pt");
    let history = dir.history(&["idea.toml", "--seed", "0", "--epochs", "2"]);
    let keys: Vec<&str> = history["modules"].as_array().unwrap().iter().map(|m| m["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["train.loss.torchscript", "train.metrics.1.torchscript"]);
    assert_says(&stdout(&dir.run(&["show", "idea.toml"]).code(0)), &["loss.pt", "name = \"own\""]);
    let plot = ["plot", "idea", "--metric", "own"];
    assert_commands_use_copies(&dir, &["loss.pt", "dice.pt"], &plot, "train.loss.torchscript");
}

#[test]
fn runs_with_different_modules_are_told_apart() {
    let dir = dir_with("focal.pt");
    let higher = FOCAL.replace("higher_is_better = true", "higher_is_better = false");
    dir.write("idea.toml", higher);
    dir.history(&["idea.toml", "--epochs", "1", "--out", "first"]);
    copy(&dir, "noisy.pt", "loss.pt");
    dir.history(&["idea.toml", "--epochs", "1", "--out", "second"]);
    let runs = ["first/idea/latest", "second/idea/latest"];
    let compared = stdout(&dir.run(&["compare", runs[0], runs[1]]).code(0));
    assert_says(&compared, &["loss.pt 3ceeeb1b", "loss.pt 9167839", "different loss functions"]);
    let compared = stdout(&dir.run(&["compare", runs[0], runs[1], "--json"]).code(0));
    let compared: Value = serde_json::from_str(&compared).unwrap();
    let metrics = compared["metrics"].as_array().unwrap();
    let own = metrics.iter().find(|metric| metric["name"] == "best.val_own").unwrap();
    assert_eq!(own["higher_is_better"], false, "as the experiment says");
}

#[test]
fn killed_runs_end_with_the_same_histories_and_weights_also_if_the_loss_draws_numbers() {
    for loss in ["focal.pt", "noisy.pt"] {
        let dir = dir_with(loss);
        dir.write("idea.toml", FOCAL.replace("epochs = 5", "epochs = 12"));
        let arguments = ["selftest", "resume", "idea.toml", "--kills", "3", "--device", "cpu", "--threads", "1"];
        assert_says(&stdout(&dir.run(&arguments).code(0)), &["3 kills in ", "to the last bit"]);
    }
    let dir = dir_with("noisy.pt");
    let alone = dir.history(&["idea.toml", "--seed", "1"]);
    let stacked = dir.histories(&["idea.toml", "--seeds", "0,1", "--stack", "2"]);
    assert_eq!(curves(&alone), curves(&stacked[1]), "each replica draws its own numbers");
}

#[test]
fn losses_and_metrics_that_cannot_be_used_are_refused_in_words() {
    let message = |file: &str, experiment: &str| {
        let dir = dir_with(file);
        dir.write("idea.toml", experiment);
        dir.error_message(&["exp", "idea.toml"])
    };
    for (file, words) in [
        ("state_dict.pt", "is a state dict or a pickled module (`torch.save`), not a TorchScript file"),
        ("oneargument.pt", "has a `forward` with 1 argument, but it is called with 2: the output and the target"),
        (
            "matrix.pt",
            "returns the shape [20, 10] for 20 rows, but must return a float tensor: a scalar, or a value for each",
        ),
        ("wrong.pt", "gives no gradient to the output, so nothing can be trained with it"),
        ("counting.pt", "changes its buffer `calls`, but checkpoints hold no state of losses and metrics"),
        ("failing.pt", "fails on an output of shape [20, 10] and a target of shape [20] (int64): "),
    ] {
        assert_says(&message(file, FOCAL), &["`train.loss.torchscript`", words]);
    }
    let with_metric =
        |metric: &str| FOCAL.replace("{ torchscript = \"dice.pt\", name = \"own\", higher_is_better = true }", metric);
    for (metric, words) in [
        ("{ torchscript = \"loss.pt\", name = \"val_x\" }", "`val_` is the prefix of validation metrics"),
        ("{ torchscript = \"loss.pt\", name = \"loss\" }", "contains a metric named `loss`, which has another meaning"),
        (
            "{ torchscript = \"loss.pt\", name = \"acc\" }",
            "contains a metric named `acc`, which is the name of a built-in metric",
        ),
        ("{ torchscript = \"loss.pt\" }", "required key is missing: `name`"),
        ("{ torchscript = \"loss.pt\", name = \"x\", best = 1 }", "unknown key `best`"),
        ("\"dise\"", "unknown metric `dise`"),
        ("\"torchscript\"", "write `{ torchscript = \"metric.pt\", name = \"own\", higher_is_better = true }`"),
    ] {
        assert_says(&message("focal.pt", &with_metric(metric)), &[words]);
    }
    let bare = FOCAL.replace("loss = { torchscript = \"loss.pt\" }", "loss = \"torchscript\"");
    assert_says(&message("focal.pt", &bare), &["write `loss = { torchscript = \"loss.pt\" }`"]);
    let matrix = with_metric("{ torchscript = \"loss.pt\", name = \"x\" }")
        .replace("loss = { torchscript = \"loss.pt\" }", "loss = \"cross_entropy\"");
    assert_says(
        &message("matrix.pt", &matrix),
        &["`train.metrics.1.torchscript`", "must return one number for all rows"],
    );
    let both = FOCAL.replace("{ torchscript = \"loss.pt\" }", "{ torchscript = \"loss.pt\", huber = { delta = 2 } }");
    assert_says(&message("focal.pt", &both), &["expected one loss, but there is a second name, `huber`"]);
    let of_seed = FOCAL.replace("\"loss.pt\"", "\"loss-{seed}.pt\"");
    let dir = dir_with("focal.pt");
    copy(&dir, "focal.pt", "loss-0.pt");
    dir.write("idea.toml", of_seed);
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["contains `{seed}`, but all seeds share a loss"]);
    let huber = case("huber");
    let dir = table_dir(&huber, "target = \"y\"\nweights = \"w\"", "1", "");
    copy(&dir, "asymmetric.pt", "loss.pt");
    let message = dir.error_message(&["exp", "idea.toml"]);
    assert_says(&message, &["returns one value for a batch, which row weights (`data.csv.weights`) cannot weight"]);
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let dir = dir_with("focal.pt");
    for file in ["loss.pt", "dice.pt"] {
        dir.write(&format!("base/{file}"), std::fs::read(dir.path(file)).unwrap());
        std::fs::remove_file(dir.path(file)).unwrap();
    }
    dir.write("base/idea.toml", FOCAL);
    dir.write("next.toml", "extends = \"base/idea.toml\"\ntrain.epochs = 1\n");
    dir.history(&["next.toml", "--seed", "0"]);
    dir.history(&["base/idea.toml", "--seed", "0", "--epochs", "1"]);
}
