//! Momentum cycling of `one_cycle`: resumed, stopped, rejected, and runs of versions without it.

use crate::support::{TestDir, assert_says, idea_with, stdout};

const SGD: &str = "optimizer = { sgd = { lr = 0.1 } }\nschedule = { one_cycle = { max_lr = 0.2 } }";

fn one_cycle_experiment(train: &str) -> String {
    idea_with("epochs = 2", "epochs = 12").replace("optimizer = { adam = { lr = 1e-3 } }", train)
}

#[test]
fn one_cycle_momentum_survives_kills() {
    let dir = TestDir::new();
    let variants = "\n[[variants]]\nname = \"fused\"\n[[variants]]\nname = \"autograd\"\nset = { \"train.observe\" = [\"gradient_norm\"] }\n\
        [[variants]]\nname = \"adam\"\nset = { \"train.optimizer\" = \"adam\", \"train.schedule.one_cycle.max_lr\" = 0.01 }\n";
    dir.write("idea.toml", format!("{}{variants}", one_cycle_experiment(SGD)));
    let message = stdout(&dir.run(&["selftest", "resume", "idea.toml", "--kills", "4", "--device", "cpu"]).code(0));
    assert_says(&message, &["4 kills in ", "to the last bit"]);
}

#[test]
fn optimizers_without_momentum_reject_only_explicit_momentum_cycling() {
    let dir = TestDir::new();
    let adagrad = |more: &str| {
        one_cycle_experiment(&format!("optimizer = \"adagrad\"\nschedule = {{ one_cycle = {{ max_lr = 0.2{more} }} }}"))
    };
    dir.write("idea.toml", adagrad(", cycle_momentum = true"));
    let refused = dir.error_message(&["exp", "idea.toml"]);
    assert_says(
        &refused,
        &["train.schedule.one_cycle.cycle_momentum", "found `adagrad`", "hint: set `cycle_momentum = false`"],
    );
    let more = "train.schedule.one_cycle.cycle_momentum=false";
    dir.history(&["idea.toml", "--set", more]);
    dir.write("idea.toml", adagrad(""));
    let history = dir.history(&["idea.toml"]);
    assert_eq!(history["config"]["train"]["schedule"]["one_cycle"]["cycle_momentum"], false);
}

#[test]
fn runs_of_versions_without_momentum_cycling_are_reproduced_without_it() {
    let dir = TestDir::new();
    dir.write("idea.toml", one_cycle_experiment(&SGD.replace("max_lr = 0.2", "max_lr = 0.2, cycle_momentum = false")));
    dir.exp(&["idea.toml"]);
    let file = dir.files().into_iter().find(|file| file.ends_with("run.json")).unwrap();
    let record = std::fs::read_to_string(&file).unwrap();
    let old = record.replace(", cycle_momentum = false", "").replace("\"cycles_momentum\": true,", "");
    assert_ne!(old, record);
    assert!(!old.contains("momentum"), "{old}");
    std::fs::write(&file, &old).unwrap();
    assert_says(&stdout(&dir.run(&["reproduce", "idea"]).code(0)), &["identical"]);
}
