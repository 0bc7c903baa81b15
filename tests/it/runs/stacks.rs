//! Variants and seeds that share a stack: each is what a run of it alone is, however wide the stack.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Place, assert_says, metric, stderr, stdout};

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

/// A convolution that puts so wide a border round its images that no machine has room for what it makes of them.
const ABSURD: &str = r#"
title = "Absurd"
seeds = [0, 1, 2, 3]
[data.digits]
flatten = false
[network]
layers = [
    { conv2d = { channels = 1, kernel = 1, padding = 1000000 } },
    { avg_pool2d = { kernel = 1000000, stride = 1000000 } },
    "flatten",
    { linear = 10 },
]
[train]
epochs = 2
batch = "full"
loss = "cross_entropy"
optimizer = "adam"
"#;

/// What is said of a run that fails in libtorch: no trace of C++, and no epoch.
fn failing(arguments: &[&str]) -> String {
    let place = Place::new();
    place.write("absurd.toml", ABSURD);
    let failed = place.run(&[&["exp", "absurd.toml", "--device", "cpu"], arguments].concat()).code(2);
    let said = stderr(&failed);
    for trace in ["panicked", "frame #", "alloc_cpu.cpp", "Torch(", "fault in runner", "epoch 1/"] {
        assert!(!said.contains(trace), "`{trace}` in:\n{said}");
    }
    said[said.find("error: ").unwrap()..].to_owned()
}

#[test]
fn a_stack_without_room_in_memory_is_told_by_experiment_seeds_and_device() {
    assert_snapshot!(failing(&["--stack", "4"]), @r"
    error: failed to train `absurd`, seeds 0, 1, 2, 3 in one stack, on cpu
      because the machine has not enough memory: 102.15 PiB more were asked for
    hint: a smaller batch, `--set train.batch=…`, or a smaller network needs less
    ");
}

#[test]
fn convolutions_train_one_after_the_other_on_the_cpu_where_no_stack_is_asked_for() {
    assert_says(&failing(&[]), &["failed to train `absurd`, seed 0, on cpu", "25.54 PiB"]);
}

#[test]
fn a_stack_is_as_wide_as_the_flag_says_and_each_seed_is_what_it_is_alone() {
    let place = Place::new();
    let study =
        place.file("study.toml", &format!("{STUDY}optimizer = \"adam\"\n").replace("[0, 3]", "[0, 1, 2, 3, 4]"));
    let widths = |histories: &[Value]| -> Vec<u64> {
        histories.iter().map(|history| history["environment"]["replicas"].as_u64().unwrap()).collect()
    };
    let automatic = place.histories(&[&study]);
    assert_eq!(widths(&automatic), [5; 5]);
    for (stack, wanted) in [("2", [2, 2, 2, 2, 1]), ("3", [3, 3, 3, 2, 2]), ("1", [1; 5]), ("1000", [5; 5])] {
        let histories = place.histories(&[&study, "--stack", stack]);
        assert_eq!(widths(&histories), wanted, "--stack {stack}");
        for (found, wanted) in histories.iter().zip(&automatic) {
            assert_alike(found, wanted, stack);
        }
    }
}

#[test]
fn convolutions_can_be_made_a_stack_on_the_cpu() {
    let place = Place::new();
    let layers = "layers = [{ conv2d = { channels = 2, kernel = 3 } }, \"flatten\", { linear = 10 }]";
    let study =
        STUDY.replace("layers = [{ linear = 16 }", "").replace("[data.digits]", "[data.digits]\nflatten = false");
    let study: Vec<&str> = study.lines().map(|line| if line.starts_with("layers") { layers } else { line }).collect();
    let study = place.file("study.toml", &format!("{}\noptimizer = \"adam\"\n", study.join("\n")));
    let alone = place.histories(&[&study]);
    let together = place.histories(&[&study, "--stack", "2"]);
    for (found, wanted) in together.iter().zip(&alone) {
        assert_eq!(found["environment"]["replicas"], 2);
        assert_eq!(wanted["environment"]["replicas"], 1);
        assert_alike(found, wanted, "a convolution");
    }
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
