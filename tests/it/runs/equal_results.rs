//! Runs that must give equal metrics: with the same seed, in a stack and alone, in one batch.

use std::collections::BTreeSet;

use crate::support::{IDEA, TestDir, curves, idea_with, metric};

#[test]
fn stacked_seeds_give_the_histories_of_single_runs() {
    let dir = TestDir::new();
    for experiment in ["digits_mlp", "batches.toml"] {
        dir.write("batches.toml", IDEA);
        let stack = dir.exp(&[experiment, "--seeds", "0..4", "--epochs", "10"]);
        let histories = stack["histories"].as_array().unwrap();
        assert_eq!(histories.iter().map(|h| h["seed"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let starts: BTreeSet<String> = histories.iter().map(|h| metric(h, "loss")[0].to_string()).collect();
        assert_eq!(starts.len(), 5, "seeds with equal initial losses: {starts:?}");
        for history in histories {
            let seed = history["seed"].to_string();
            let folder = dir.path(stack["run"].as_str().unwrap());
            assert!(folder.join(format!("base-seed{seed}.json")).is_file());
            assert!(folder.join(format!("base-seed{seed}.safetensors")).is_file());
            let single = dir.history(&[experiment, "--seed", &seed, "--epochs", "10"]);
            for name in ["loss", "acc"] {
                let (stacked, single) = (metric(history, name), metric(&single, name));
                assert_eq!((stacked.len(), single.len()), (10, 10));
                for (stacked, single) in stacked.iter().zip(&single) {
                    assert!((stacked - single).abs() <= 1e-4, "{name} of seed {seed}: {stacked} and {single} alone");
                }
            }
        }
    }
}

#[test]
fn equal_seeds_give_identical_curves_and_weights() {
    let dir = TestDir::new();
    let dropout = idea_with("\"relu\"", "\"relu\", { dropout = 0.5 }");
    dir.write("idea.toml", dropout.replace("[data.digits]", "[data.digits]\nsplit = { validation = 0.2 }"));
    let run = |seed: &str| {
        let printed = dir.exp(&["idea.toml", "--seed", seed, "--epochs", "5"]);
        let folder = dir.path(printed["run"].as_str().unwrap());
        let weights = std::fs::read(folder.join(format!("base-seed{seed}.safetensors"))).unwrap();
        (curves(&printed["histories"][0]).to_string(), weights)
    };
    let (first, second, other) = (run("7"), run("7"), run("8"));
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "the weights differ");
    assert!(first.0 != other.0 && first.1 != other.1, "other seeds must give other weights");
}

#[test]
fn negative_seeds_are_allowed() {
    let dir = TestDir::with_idea();
    assert_eq!(dir.history(&["idea.toml", "--seed", "-1"])["seed"], -1);
    let stack = dir.exp(&["idea.toml", "--seeds", "-1..1"]);
    assert_eq!(stack["histories"].as_array().unwrap().len(), 3);
}

#[test]
fn a_batch_size_larger_than_the_data_gives_one_batch() {
    let dir = TestDir::with_idea();
    let larger = dir.history(&["idea.toml", "--set", "train.batch=100000"]);
    let full = dir.history(&["idea.toml", "--set", "train.batch=full"]);
    assert_eq!(curves(&larger), curves(&full));
}
