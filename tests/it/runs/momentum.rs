//! `one_cycle` and its momentum through the program: resumed, stopped, refused, and runs of versions without it.

use crate::support::{Place, assert_says, idea_with, stdout};

const SGD: &str = "optimizer = { sgd = { lr = 0.1 } }\nschedule = { one_cycle = { max_lr = 0.2 } }";

fn idea(train: &str) -> String {
    idea_with("epochs = 2", "epochs = 12").replace("optimizer = { adam = { lr = 1e-3 } }", train)
}

#[test]
fn one_cycle_outlives_being_killed_with_its_momentum() {
    let place = Place::new();
    let variants = "\n[[variants]]\nname = \"fused\"\n[[variants]]\nname = \"autograd\"\nset = { \"train.clip\" = { norm = 0.5 } }\n\
        [[variants]]\nname = \"adam\"\nset = { \"train.optimizer\" = \"adam\", \"train.schedule.one_cycle.max_lr\" = 0.01 }\n";
    place.write("idea.toml", format!("{}{variants}", idea(SGD)));
    let told = stdout(&place.run(&["selftest", "resume", "idea.toml", "--kills", "4", "--device", "cpu"]).code(0));
    assert_says(&told, &["4 kills in ", "to the last bit"]);
}

#[test]
fn an_optimizer_without_momentum_is_refused_only_where_it_is_asked_to_cycle_it() {
    let place = Place::new();
    let adagrad =
        |more: &str| idea(&format!("optimizer = \"adagrad\"\nschedule = {{ one_cycle = {{ max_lr = 0.2{more} }} }}"));
    place.write("idea.toml", adagrad(", cycle_momentum = true"));
    let refused = place.refusal(&["exp", "idea.toml"]);
    assert_says(
        &refused,
        &["train.schedule.one_cycle.cycle_momentum", "found `adagrad`", "hint: set `cycle_momentum = false`"],
    );
    let more = "train.schedule.one_cycle.cycle_momentum=false";
    place.history(&["idea.toml", "--set", more]);
    place.write("idea.toml", adagrad(""));
    let history = place.history(&["idea.toml"]);
    assert_eq!(history["config"]["train"]["schedule"]["one_cycle"]["cycle_momentum"], false);
}

#[test]
fn a_run_of_a_version_that_could_not_cycle_it_is_reproduced_without_it() {
    let place = Place::new();
    place.write("idea.toml", idea(&SGD.replace("max_lr = 0.2", "max_lr = 0.2, cycle_momentum = false")));
    place.exp(&["idea.toml"]);
    let file = place.files().into_iter().find(|file| file.ends_with("run.json")).unwrap();
    let record = std::fs::read_to_string(&file).unwrap();
    let old = record.replace(", cycle_momentum = false", "").replace("\"cycles_momentum\": true,", "");
    assert_ne!(old, record);
    assert!(!old.contains("momentum"), "{old}");
    std::fs::write(&file, &old).unwrap();
    assert_says(&stdout(&place.run(&["reproduce", "idea"]).code(0)), &["identical"]);
}
