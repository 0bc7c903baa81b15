//! What a run leaves in its folder, and that it can be run again from there.

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{Place, curves};

#[test]
fn the_experiment_in_a_runs_folder_can_be_run_to_the_same_numbers() {
    let place = Place::new();
    let first = place.history(&["digits_mlp", "--seed", "3", "--epochs", "5", "--set", "train.optimizer.adam.lr=0.01"]);
    let again = place.history(&["runs/digits_mlp/latest/experiment.toml"]);
    assert_eq!(curves(&first), curves(&again));
    assert_eq!((&first["seed"], &first["config"]), (&again["seed"], &again["config"]));
}

#[test]
fn a_run_leaves_its_experiment_history_and_weights_and_latest_points_to_them() {
    let place = Place::new();
    let printed = place.exp(&["digits_mlp", "--epochs", "2"]);
    let folder = place.path(printed["run"].as_str().unwrap());
    assert!(folder.starts_with(place.path("runs/digits_mlp")));
    for name in ["experiment.toml", "base-seed0.json", "base-seed0.safetensors"] {
        assert!(folder.join(name).is_file(), "no {name}");
    }
    let latest = place.path("runs/digits_mlp/latest");
    assert!(latest.is_symlink());
    assert_eq!(latest.canonicalize().unwrap(), folder.canonicalize().unwrap());
    let written: Value = serde_json::from_slice(&std::fs::read(folder.join("base-seed0.json")).unwrap()).unwrap();
    assert_eq!(written, printed["histories"][0]);
    assert!(std::fs::read_to_string(folder.join("experiment.toml")).unwrap().ends_with('\n'));
    assert!(!place.files().iter().any(|path| path.extension().is_some_and(|extension| extension == "part")));
}

#[test]
fn the_weights_are_named_and_shaped_as_pytorchs() {
    let place = Place::new();
    place.history(&["digits_mlp", "--epochs", "2"]);
    let bytes = std::fs::read(place.path("runs/digits_mlp/latest/base-seed0.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    let shapes: Vec<_> = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
        .map(|name| weights.tensor(name).unwrap().shape().to_vec())
        .into();
    assert_eq!(shapes, [vec![32, 64], vec![32], vec![16, 32], vec![16], vec![10, 16], vec![10]]);
    assert_eq!(weights.len(), 6);
}

#[test]
fn runs_at_the_same_time_have_folders_of_their_own() {
    let place = Place::with_idea();
    let run = || place.command(&["exp", "idea.toml", "--quiet", "--device", "cpu"]).spawn().unwrap();
    let children: Vec<_> = (0..4).map(|_| run()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let runs = || std::fs::read_dir(place.path("runs/idea")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(runs().filter(|path| !path.is_symlink()).count(), 4);
    assert!(runs().filter(|path| !path.is_symlink()).all(|run| run.join("base-seed0.json").is_file()));
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn runs_are_put_where_out_says() {
    let place = Place::with_idea();
    place.history(&["idea.toml", "--out", "else/where"]);
    assert!(place.path("else/where/idea/latest/base-seed0.json").is_file());
    assert!(!place.path("runs").exists());
}

#[test]
fn what_a_run_resolved_runs_again_under_the_same_name() {
    let place = Place::with_idea();
    let first = place.exp(&["idea.toml"]);
    let resolved = format!("{}/experiment.toml", first["run"].as_str().unwrap());
    let again = place.history(&[&resolved]);
    assert_eq!(again["experiment"], "idea");
}
