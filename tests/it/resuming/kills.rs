//! Runs that are killed again and again end with the same histories and weights.

use crate::support::{Place, assert_says, idea_with, stdout};

const EVERYTHING: &str = include_str!("everything.toml");

/// Kills a run of this experiment so often, resumes it, and holds it against one in one go.
fn outlives(experiment: &str, kills: usize, more: &[&str]) {
    let place = Place::new();
    place.write("idea.toml", experiment);
    let kills = kills.to_string();
    let arguments = [&["selftest", "resume", "idea.toml", "--kills", &kills, "--device", "cpu"], more].concat();
    let told = stdout(&place.run(&arguments).code(0));
    assert_says(&told, &[&format!("{kills} kills in "), "to the last bit"]);
}

#[test]
fn a_stack_of_seeds_outlives_being_killed() {
    outlives(&idea_with("epochs = 2", "epochs = 25"), 5, &["--seeds", "0..2", "--threads", "2"]);
}

#[test]
fn dropout_batch_normalization_plateau_and_early_stopping_outlive_being_killed() {
    outlives(EVERYTHING, 5, &[]);
}

#[test]
fn folds_variants_and_other_optimizers_outlive_being_killed() {
    let variants = "\n[[variants]]\nname = \"momentum\"\nset = { \"train.optimizer\" = { sgd = { lr = 0.1, momentum = 0.9 } } }\n\
        [[variants]]\nname = \"dropout\"\nset = { \"network.layers\" = [{ linear = 16 }, { dropout = 0.2 }, { linear = 10 }] }\n\
        [[variants]]\nname = \"warm\"\nset = { \"train.schedule\" = { warm_up = { epochs = 3, then = \"cosine\" } } }\n";
    let experiment =
        idea_with("epochs = 2", "epochs = 8").replace("[data.digits]", "[data.digits]\nsplit = { folds = 3 }");
    outlives(&format!("{experiment}{variants}"), 5, &[]);
}

#[test]
fn trees_outlive_being_killed() {
    let tree =
        "title = \"A tree\"\nseeds = [0, 1, 2, 3]\n[data.digits]\nsplit = { test = 0.3, random_state = 42 }\n[tree]\n";
    outlives(tree, 3, &[]);
}
