//! Variants that share a stack: each is what a run of it alone is.

use serde_json::Value;

use crate::support::{Place, metric, stdout};

/// The layer before batch normalization has no bias: its gradient would be rounding alone, which optimizers that divide
/// by the gradient's size make steps of.
const STUDY: &str = r#"
title = "Variants in one stack"
seeds = [0, 3]
[data.digits]
scale = "unit"
split = { validation = 0.2, test = 0.2, random_state = 1 }
[network]
layers = [{ linear = { units = 16, bias = false } }, "batch_norm", "relu", { linear = 10 }]
[train]
epochs = 3
batch = 64
loss = "cross_entropy"
"#;

const VARIANTS: [(&str, &[&str]); 4] = [
    ("plain", &[]),
    ("slow", &["train.optimizer.KIND.lr=0.002"]),
    ("decayed", &["train.optimizer.KIND.weight_decay=0.3", "network.init=he_normal"]),
    ("drawn", &["network.layers.3.linear.init=zeros"]),
];

/// The study with all variants, and the same without.
fn studies(place: &Place, optimizer: &str) -> (String, String) {
    let alone = format!("{STUDY}optimizer = {{ {optimizer} = {{ lr = 0.01 }} }}\n");
    let mut together = alone.clone();
    for (name, changes) in VARIANTS {
        let set: Vec<String> = changes
            .iter()
            .map(|change| {
                let (key, value) = change.split_once('=').unwrap();
                let value = if value.parse::<f64>().is_ok() { value.to_owned() } else { format!("\"{value}\"") };
                format!("\"{}\" = {value}", key.replace("KIND", optimizer))
            })
            .collect();
        together += &format!("[[variants]]\nname = \"{name}\"\nset = {{ {} }}\n", set.join(", "));
    }
    (place.file("together.toml", &together), place.file("alone.toml", &alone))
}

#[track_caller]
fn assert_alike(found: &Value, wanted: &Value, what: &str) {
    for name in ["loss", "val_loss", "acc", "val_acc", "lr"] {
        let pairs = metric(found, name).into_iter().zip(metric(wanted, name));
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-5, "{what}, {name}: {worst}");
    }
    let tested = |history: &Value| history["test"]["loss"].as_f64().unwrap();
    assert!((tested(found) - tested(wanted)).abs() < 1e-5, "{what}, test loss");
}

#[test]
fn variants_in_one_stack_are_what_each_is_alone_with_every_optimizer() {
    for optimizer in ["sgd", "rmsprop", "adam", "adamw", "adagrad"] {
        let place = Place::new();
        let (together, alone) = studies(&place, optimizer);
        let stack = place.histories(&[&together]);
        let order: Vec<(&str, i64)> = stack
            .iter()
            .map(|history| (history["variant"].as_str().unwrap(), history["seed"].as_i64().unwrap()))
            .collect();
        let wanted: Vec<(&str, i64)> = VARIANTS.iter().flat_map(|(name, _)| [(*name, 0), (*name, 3)]).collect();
        assert_eq!(order, wanted);
        for ((name, changes), histories) in VARIANTS.iter().zip(stack.chunks_exact(2)) {
            for history in histories {
                assert_eq!(history["environment"]["replicas"], 8, "all in one stack");
                let seed = history["seed"].to_string();
                let mut arguments = vec![alone.clone(), "--seed".to_owned(), seed.clone()];
                for change in *changes {
                    arguments.extend(["--set".to_owned(), change.replace("KIND", optimizer)]);
                }
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let lone = place.history(&arguments);
                assert_alike(history, &lone, &format!("{optimizer}, {name}, seed {seed}"));
                assert_eq!(history["config"]["train"], lone["config"]["train"]);
                assert_eq!(history["config"]["network"], lone["config"]["network"]);
            }
        }
    }
}

#[test]
fn stacks_too_wide_for_the_caches_are_parted() {
    let place = Place::new();
    let text = STUDY.replace("units = 16", "units = 4000").replace("epochs = 3", "epochs = 1");
    let wide = place.file("wide.toml", &(text + "optimizer = \"sgd\"\n"));
    // 304,010 parameters, so that a million has room for three
    let stack = place.histories(&[&wide, "--seeds", "0..4"]);
    let widths: Vec<i64> = stack.iter().map(|history| history["environment"]["replicas"].as_i64().unwrap()).collect();
    assert_eq!(widths, [3, 3, 3, 2, 2]);
    let shown = stdout(&place.run(&["exp", &wide, "--seeds", "0..4"]).code(0));
    assert!(shown.contains("mean of 5"), "{shown}");
}
