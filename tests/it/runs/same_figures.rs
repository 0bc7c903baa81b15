//! Runs that must give the same figures: with the same seed, in a stack and alone, in one batch.

use std::collections::BTreeSet;

use crate::support::{IDEA, Place, curves, idea_with, metric};

#[test]
fn a_stack_of_seeds_writes_histories_equal_to_lone_runs() {
    let place = Place::new();
    for experiment in ["digits_mlp", "batches.toml"] {
        place.write("batches.toml", IDEA);
        let stack = place.exp(&[experiment, "--seeds", "0..4", "--epochs", "10"]);
        let histories = stack["histories"].as_array().unwrap();
        assert_eq!(histories.iter().map(|h| h["seed"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let starts: BTreeSet<String> = histories.iter().map(|h| metric(h, "loss")[0].to_string()).collect();
        assert_eq!(starts.len(), 5, "seeds that start alike: {starts:?}");
        for history in histories {
            let seed = history["seed"].to_string();
            let folder = place.path(stack["run"].as_str().unwrap());
            assert!(folder.join(format!("base-seed{seed}.json")).is_file());
            assert!(folder.join(format!("base-seed{seed}.safetensors")).is_file());
            let lone = place.history(&[experiment, "--seed", &seed, "--epochs", "10"]);
            for name in ["loss", "acc"] {
                let (stacked, lone) = (metric(history, name), metric(&lone, name));
                assert_eq!((stacked.len(), lone.len()), (10, 10));
                for (stacked, lone) in stacked.iter().zip(&lone) {
                    assert!((stacked - lone).abs() <= 1e-4, "{name} of seed {seed}: {stacked} and {lone} alone");
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_curves_and_weights_to_the_byte() {
    let place = Place::new();
    let dropout = idea_with("\"relu\"", "\"relu\", { dropout = 0.5 }");
    place.write("idea.toml", dropout.replace("[data.digits]", "[data.digits]\nsplit = { validation = 0.2 }"));
    let run = |seed: &str| {
        let printed = place.exp(&["idea.toml", "--seed", seed, "--epochs", "5"]);
        let folder = place.path(printed["run"].as_str().unwrap());
        let weights = std::fs::read(folder.join(format!("base-seed{seed}.safetensors"))).unwrap();
        (curves(&printed["histories"][0]).to_string(), weights)
    };
    let (first, second, other) = (run("7"), run("7"), run("8"));
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "the weights differ");
    assert!(first.0 != other.0 && first.1 != other.1, "another seed changes nothing");
}

#[test]
fn negative_seeds_are_seeds() {
    let place = Place::with_idea();
    assert_eq!(place.history(&["idea.toml", "--seed", "-1"])["seed"], -1);
    let stack = place.exp(&["idea.toml", "--seeds", "-1..1"]);
    assert_eq!(stack["histories"].as_array().unwrap().len(), 3);
}

#[test]
fn a_batch_larger_than_the_data_is_one_batch() {
    let place = Place::with_idea();
    let larger = place.history(&["idea.toml", "--set", "train.batch=100000"]);
    let full = place.history(&["idea.toml", "--set", "train.batch=full"]);
    assert_eq!(curves(&larger), curves(&full));
}
