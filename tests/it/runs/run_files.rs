//! Files in a run directory, and repeating the run from them.

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{TestDir, curves};

#[test]
fn the_saved_experiment_gives_the_same_results() {
    let dir = TestDir::new();
    let first = dir.history(&["digits_mlp", "--seed", "3", "--epochs", "5", "--set", "train.optimizer.adam.lr=0.01"]);
    let again = dir.history(&["runs/digits_mlp/latest/experiment.toml"]);
    assert_eq!(curves(&first), curves(&again));
    assert_eq!((&first["seed"], &first["config"]), (&again["seed"], &again["config"]));
}

#[test]
fn a_run_saves_experiment_history_weights_and_the_latest_link() {
    let dir = TestDir::new();
    let printed = dir.exp(&["digits_mlp", "--epochs", "2"]);
    let folder = dir.path(printed["run"].as_str().unwrap());
    assert!(folder.starts_with(dir.path("runs/digits_mlp")));
    for name in ["experiment.toml", "base-seed0.json", "base-seed0.safetensors"] {
        assert!(folder.join(name).is_file(), "no {name}");
    }
    let latest = dir.path("runs/digits_mlp/latest");
    assert!(latest.is_symlink());
    assert_eq!(latest.canonicalize().unwrap(), folder.canonicalize().unwrap());
    let written: Value = serde_json::from_slice(&std::fs::read(folder.join("base-seed0.json")).unwrap()).unwrap();
    assert_eq!(written, printed["histories"][0]);
    assert!(std::fs::read_to_string(folder.join("experiment.toml")).unwrap().ends_with('\n'));
    assert!(!dir.files().iter().any(|path| path.extension().is_some_and(|extension| extension == "part")));
}

#[test]
fn weights_have_the_names_and_shapes_of_pytorch() {
    let dir = TestDir::new();
    dir.history(&["digits_mlp", "--epochs", "2"]);
    let bytes = std::fs::read(dir.path("runs/digits_mlp/latest/base-seed0.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    let shapes: Vec<_> = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
        .map(|name| weights.tensor(name).unwrap().shape().to_vec())
        .into();
    assert_eq!(shapes, [vec![32, 64], vec![32], vec![16, 32], vec![16], vec![10, 16], vec![10]]);
    assert_eq!(weights.len(), 6);
}

#[test]
fn simultaneous_runs_use_different_directories() {
    let dir = TestDir::with_idea();
    let run = || dir.command(&["exp", "idea.toml", "--quiet", "--device", "cpu"]).spawn().unwrap();
    let children: Vec<_> = (0..4).map(|_| run()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let runs = || std::fs::read_dir(dir.path("runs/idea")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(runs().filter(|path| !path.is_symlink()).count(), 4);
    assert!(runs().filter(|path| !path.is_symlink()).all(|run| run.join("base-seed0.json").is_file()));
    assert!(dir.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn runs_are_written_to_the_directory_given_by_out() {
    let dir = TestDir::with_idea();
    dir.history(&["idea.toml", "--out", "else/where"]);
    assert!(dir.path("else/where/idea/latest/base-seed0.json").is_file());
    assert!(!dir.path("runs").exists());
}

#[test]
fn a_resolved_experiment_runs_under_the_same_name() {
    let dir = TestDir::with_idea();
    let first = dir.exp(&["idea.toml"]);
    let resolved = format!("{}/experiment.toml", first["run"].as_str().unwrap());
    let again = dir.history(&[&resolved]);
    assert_eq!(again["experiment"], "idea");
}
