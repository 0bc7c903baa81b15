//! Runs that are killed repeatedly end with the same histories and weights.

use crate::support::{TestDir, assert_says, idea_with, stdout};

const EVERYTHING: &str = include_str!("everything.toml");

/// Kills a run of this experiment several times, resumes it, and compares it with an uninterrupted run.
fn assert_survives_kills(experiment: &str, kills: usize, more: &[&str]) {
    let dir = TestDir::new();
    dir.write("idea.toml", experiment);
    let kills = kills.to_string();
    let arguments = [&["selftest", "resume", "idea.toml", "--kills", &kills, "--device", "cpu"], more].concat();
    let message = stdout(&dir.run(&arguments).code(0));
    assert_says(&message, &[&format!("{kills} kills in "), "to the last bit"]);
}

#[test]
fn stacked_seeds_survive_kills() {
    assert_survives_kills(&idea_with("epochs = 2", "epochs = 25"), 5, &["--seeds", "0..2", "--threads", "2"]);
}

#[test]
fn dropout_batch_norm_plateau_and_early_stopping_survive_kills() {
    assert_survives_kills(EVERYTHING, 5, &[]);
}

#[test]
fn convolutions_survive_kills() {
    let layers =
        "{ conv2d = { channels = 4, kernel = 3 } }, \"relu\", { max_pool2d = 2 }, \"flatten\", { linear = 16 }";
    let experiment = idea_with("{ linear = 16 }", layers).replace("epochs = 2", "epochs = 25");
    let experiment = experiment.replace("[data.digits]", "[data.digits]\nflatten = false");
    assert_survives_kills(&experiment, 5, &["--seeds", "0..2", "--threads", "2", "--stack", "2"]);
}

#[test]
fn folds_variants_and_other_optimizers_survive_kills() {
    let variants = "\n[[variants]]\nname = \"momentum\"\nset = { \"train.optimizer\" = { sgd = { lr = 0.1, momentum = 0.9 } } }\n\
        [[variants]]\nname = \"dropout\"\nset = { \"network.layers\" = [{ linear = 16 }, { dropout = 0.2 }, { linear = 10 }] }\n\
        [[variants]]\nname = \"warm\"\nset = { \"train.schedule\" = { warm_up = { epochs = 3, then = \"cosine\" } } }\n";
    let experiment =
        idea_with("epochs = 2", "epochs = 8").replace("[data.digits]", "[data.digits]\nsplit = { folds = 3 }");
    assert_survives_kills(&format!("{experiment}{variants}"), 5, &[]);
}

#[test]
fn replicas_with_different_settings_survive_kills() {
    let variants = |set: &[&str]| -> String {
        let variant =
            |(number, set): (usize, &&str)| format!("\n[[variants]]\nname = \"v{number}\"\nset = {{ {set} }}\n");
        set.iter().enumerate().map(variant).collect()
    };
    let autograd = variants(&[
        "\"train.optimizer.adam.betas\" = [0.5, 0.9]",
        "\"train.optimizer.adam.eps\" = 0.01, \"train.early_stopping\" = \"none\"",
        "\"train.loss\" = { cross_entropy = { label_smoothing = 0.1 } }, \"train.schedule\" = \"cosine\"",
        "\"train.penalty\" = { l1 = 1e-4 }, \"train.schedule.reduce_on_plateau.patience\" = 0",
    ]);
    assert_survives_kills(&(EVERYTHING.replace("[0, 1, 2]", "[0]") + &autograd), 5, &[]);
    let fused = variants(&[
        "\"train.optimizer\" = { sgd = { lr = 0.1 } }",
        "\"train.optimizer\" = { sgd = { lr = 0.1, momentum = 0.9 } }, \"train.penalty\" = { l2 = 1e-3 }",
        "\"train.optimizer\" = { sgd = { lr = 0.1 } }, \"train.schedule\" = \"one_cycle\", \"train.early_stopping\" = 2",
        "\"train.optimizer\" = { sgd = { lr = 0.1 } }, \"train.loss\" = { cross_entropy = { label_smoothing = 0.1 } }",
    ]);
    assert_survives_kills(&(idea_with("epochs = 2", "epochs = 25") + &fused), 5, &["--threads", "2"]);
}

#[test]
fn trees_survive_kills() {
    let tree =
        "title = \"A tree\"\nseeds = [0, 1, 2, 3]\n[data.digits]\nsplit = { test = 0.3, random_state = 42 }\n[tree]\n";
    assert_survives_kills(tree, 3, &[]);
}
