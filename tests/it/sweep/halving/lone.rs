//! Each trial has the history of its lone run up to its last epoch: parameters, buffers, optimizer, schedule, early stopping,
//! dropout and the order of the rows are those of its replica after each rung.

use std::path::Path;

use serde_json::Value;

use super::{epochs, histories};
use crate::support::TestDir;
use crate::sweep::sweep_run::{json, trained_of};

/// Trains a sweep with halving, and compares each trial with its lone run.
#[track_caller]
fn assert_equal_to_lone_runs(dir: &TestDir, space: &[&str], halving: &str, all_epochs: usize) {
    let space = [space, &["--seeds", "0,1", "--threads", "1", "--halving", halving]].concat();
    let sweep = trained_of(dir, &space, &["--workers", "1"]);
    let record = json(&sweep.join("sweep.json"));
    let found = histories(&sweep);
    let mut lengths: Vec<usize> = found.iter().map(|(_, history)| epochs(history)).collect();
    lengths.sort_unstable();
    lengths.dedup();
    assert!(lengths.len() >= 2 && lengths.last() == Some(&all_epochs), "some are dropped, and some not: {lengths:?}");
    for configuration in record["configurations"].as_array().unwrap() {
        let mut arguments = vec!["idea.toml".to_owned()];
        for (key, value) in configuration["set"].as_object().unwrap() {
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        arguments.extend(["--seeds", "0,1", "--stack", "1", "--threads", "1"].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for lone in dir.histories(&arguments) {
            let is_same =
                |history: &Value| history["variant"] == configuration["name"] && history["seed"] == lone["seed"];
            let (path, trial) = found.iter().find(|(_, history)| is_same(history)).unwrap();
            assert_same_curves(path, trial, &lone);
        }
    }
}

/// Compares all metrics of the epochs that a trial has.
#[track_caller]
fn assert_same_curves(path: &Path, trial: &Value, lone: &Value) {
    let trained = epochs(trial);
    match trial["status"].as_str().unwrap() {
        "dropped" => assert!(trained <= epochs(lone), "{}", path.display()),
        status => assert_eq!((status, trained), (lone["status"].as_str().unwrap(), epochs(lone)), "{}", path.display()),
    }
    for (name, values) in trial["history"].as_object().unwrap() {
        if matches!(name.as_str(), "seconds" | "epoch") {
            continue;
        }
        let numbers = |values: &Value| -> Vec<f64> {
            values.as_array().unwrap().iter().take(trained).map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
        };
        for (epoch, (found, wanted)) in numbers(values).into_iter().zip(numbers(&lone["history"][name])).enumerate() {
            let is_near = (found - wanted).abs() <= 1e-5 * wanted.abs().max(1.0) || found.is_nan() && wanted.is_nan();
            assert!(is_near, "{name} in epoch {}: {found}, alone {wanted}, {}", epoch + 1, path.display());
        }
    }
}

fn dir_with(text: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", text);
    dir
}

#[test]
fn of_networks_without_autograd() {
    let dir = dir_with(
        "title = \"t\"\n[data.digits]\nsplit = { validation = 0.2 }\n\
         [network]\nlayers = [{ linear = 16 }, \"relu\", { linear = 10 }]\n\
         [train]\nepochs = 10\nbatch = 64\nloss = \"cross_entropy\"\noptimizer = { adam = { lr = 1e-3 } }\n\
         schedule = \"cosine\"\n",
    );
    let space = ["--space", "train.optimizer.adam.lr=0.0001,0.0003,0.001,0.003,0.01", "--stack", "10"];
    assert_equal_to_lone_runs(&dir, &space, "first=2,keep=0.4", 10);
}

#[test]
fn of_networks_with_buffers_dropout_momentum_plateaus_and_early_stopping() {
    let dir = dir_with(
        "title = \"t\"\n[data.digits]\nsplit = { validation = 0.2 }\n\
         [network]\nlayers = [{ linear = 16 }, \"batch_norm\", \"relu\", { dropout = 0.2 }, { linear = 10 }]\n\
         [train]\nepochs = 10\nbatch = 128\nloss = \"cross_entropy\"\noptimizer = { sgd = { lr = 0.1, momentum = 0.0 } }\n\
         schedule = { reduce_on_plateau = { patience = 1, factor = 0.5 } }\nearly_stopping = { patience = 6 }\nclip = { norm = 5.0 }\n\
         # those with momentum are dropped first, and take its state with them\n\
         [[sweep.zip]]\n\"train.optimizer.sgd.lr\" = [0.0001, 0.0002, 0.2, 0.3]\n\
         \"train.optimizer.sgd.momentum\" = [0.5, 0.5, 0.0, 0.0]\n",
    );
    let space = ["--space", "p=0.1,0.3", "--method", "grid", "--stack", "16"];
    assert_equal_to_lone_runs(&dir, &space, "first=2,keep=0.4", 10);
}

#[test]
fn of_networks_written_in_pytorch() {
    let dir = dir_with(
        "title = \"t\"\n[data.digits]\nscale = \"unit\"\nflatten = false\nsplit = { validation = 0.25 }\n\
         [network]\ntorchscript = \"net.pt\"\n\
         [train]\nepochs = 6\nbatch = 256\nloss = \"cross_entropy\"\naugment = { shift = 1.0, noise = 0.1 }\noptimizer = { adam = { lr = 1e-3 } }\n",
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torchscript/resnet.pt");
    dir.write("net.pt", std::fs::read(file).unwrap());
    let space = ["--space", "train.optimizer.adam.lr=0.00001,0.0001,0.001,0.003", "--stack", "8"];
    assert_equal_to_lone_runs(&dir, &space, "first=1,keep=0.4", 6);
}
