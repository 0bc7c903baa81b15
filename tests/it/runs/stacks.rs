//! Variants and seeds in one stack give the same results as alone, for every stack size.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{TestDir, assert_same_training, assert_says, metric, stderr, stdout};

/// The layer before batch normalization has no bias. Its gradient would be only rounding errors, which optimizers that
/// divide by the size of the gradient would turn into steps.
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

/// Writes the experiment with all variants, and the experiment without variants.
fn write_experiments(dir: &TestDir, optimizer: &str) -> (String, String) {
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
    (dir.file("together.toml", &together), dir.file("alone.toml", &alone))
}

/// A convolution with so much padding that its output fits into no memory.
const TOO_LARGE: &str = r#"
title = "Absurd"
seeds = "0..15"
[data.digits]
flatten = false
[network]
layers = [
    { conv2d = { channels = 1, kernel = 1, padding = 23000 } },
    { avg_pool2d = { kernel = 10000, stride = 10000 } },
    "flatten",
    { linear = 10 },
]
[train]
epochs = 2
batch = "full"
loss = "cross_entropy"
optimizer = "adam"
"#;

/// Error message of a run that fails in libtorch. It must not contain C++ details or epochs.
fn training_error(arguments: &[&str]) -> String {
    let dir = TestDir::new();
    dir.write("absurd.toml", TOO_LARGE);
    let failed = dir.run(&[&["exp", "absurd.toml", "--device", "cpu"], arguments].concat()).code(2);
    let message = stderr(&failed);
    for trace in ["panicked", "frame #", "alloc_cpu.cpp", "Torch(", "fault in runner", "epoch 1/"] {
        assert!(!message.contains(trace), "`{trace}` in:\n{message}");
    }
    message[message.find("error: ").unwrap()..].to_owned()
}

#[test]
fn out_of_memory_errors_name_experiment_seeds_and_device() {
    assert_snapshot!(training_error(&["--stack", "16"]), @r"
    error: failed to train `absurd`, 16 seeds from 0 to 15 in one stack, on cpu
      because the machine is out of memory: failed to allocate 221.4 TiB
    hint: use a smaller batch (`--set train.batch=…`) or a smaller network
    ");
}

#[test]
fn convolutions_are_not_stacked_on_the_cpu_by_default() {
    assert_says(&training_error(&[]), &["failed to train `absurd`, seed 0, on cpu", "13.8 TiB"]);
}

#[test]
fn the_stack_flag_sets_the_stack_size_without_changing_results() {
    let dir = TestDir::new();
    let study = dir.file("study.toml", &format!("{STUDY}optimizer = \"adam\"\n").replace("[0, 3]", "[0, 1, 2, 3, 4]"));
    let widths = |histories: &[Value]| -> Vec<u64> {
        histories.iter().map(|history| history["environment"]["replicas"].as_u64().unwrap()).collect()
    };
    let automatic = dir.histories(&[&study]);
    assert_eq!(widths(&automatic), [5; 5]);
    for (stack, expected) in [("2", [2, 2, 2, 2, 1]), ("3", [3, 3, 3, 2, 2]), ("1", [1; 5]), ("1000", [5; 5])] {
        let histories = dir.histories(&[&study, "--stack", stack]);
        assert_eq!(widths(&histories), expected, "--stack {stack}");
        for (found, expected) in histories.iter().zip(&automatic) {
            assert_same_training(found, expected, stack);
        }
    }
}

/// Writes the experiment with images and these layers.
fn write_with_images(dir: &TestDir, layers: &str) -> String {
    let study = STUDY.replace("[data.digits]", "[data.digits]\nflatten = false");
    let study: Vec<&str> = study.lines().map(|line| if line.starts_with("layers") { layers } else { line }).collect();
    dir.file("study.toml", &format!("{}\noptimizer = \"adam\"\n", study.join("\n")))
}

const WITH_POOLING: &str =
    r#"layers = [{ conv2d = { channels = 4, kernel = 3 } }, "relu", { max_pool2d = 2 }, "flatten", { linear = 10 }]"#;

#[test]
fn small_convolutions_give_the_histories_of_autograd() {
    let dir = TestDir::new();
    let study = write_with_images(&dir, WITH_POOLING);
    let mut with_autograd = dir.command(&["exp", &study, "--json", "--device", "cpu"]);
    let printed = with_autograd.env("RUNNER_AUTOGRAD", "1").output().unwrap().stdout;
    let printed: Value = serde_json::from_slice(&printed).unwrap();
    for threads in ["1", "2"] {
        for stack in ["1", "2"] {
            let found = dir.histories(&[&study, "--threads", threads, "--stack", stack]);
            assert_eq!(found.len(), 2);
            for (found, expected) in found.iter().zip(printed["histories"].as_array().unwrap()) {
                assert_same_training(found, expected, &format!("{threads} threads, stacks of {stack}"));
            }
        }
    }
}

#[test]
fn convolutions_can_be_stacked_on_the_cpu() {
    let dir = TestDir::new();
    let study = write_with_images(
        &dir,
        "layers = [{ conv2d = { channels = 2, kernel = 3 } }, \"tanh\", \"flatten\", { linear = 10 }]",
    );
    let alone = dir.histories(&[&study]);
    let together = dir.histories(&[&study, "--stack", "2"]);
    for (found, expected) in together.iter().zip(&alone) {
        assert_eq!(found["environment"]["replicas"], 2);
        assert_eq!(expected["environment"]["replicas"], 1);
        assert_same_training(found, expected, "a convolution");
    }
}

#[test]
fn stacked_variants_equal_single_runs_with_every_optimizer() {
    for optimizer in ["sgd", "rmsprop", "adam", "adamw", "adagrad"] {
        let dir = TestDir::new();
        let (together, alone) = write_experiments(&dir, optimizer);
        let stack = dir.histories(&[&together]);
        let order: Vec<(&str, i64)> = stack
            .iter()
            .map(|history| (history["variant"].as_str().unwrap(), history["seed"].as_i64().unwrap()))
            .collect();
        let expected: Vec<(&str, i64)> = VARIANTS.iter().flat_map(|(name, _)| [(*name, 0), (*name, 3)]).collect();
        assert_eq!(order, expected);
        for ((name, changes), histories) in VARIANTS.iter().zip(stack.chunks_exact(2)) {
            for history in histories {
                assert_eq!(history["environment"]["replicas"], 8, "all in one stack");
                let seed = history["seed"].to_string();
                let mut arguments = vec![alone.clone(), "--seed".to_owned(), seed.clone()];
                for change in *changes {
                    arguments.extend(["--set".to_owned(), change.replace("KIND", optimizer)]);
                }
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let single = dir.history(&arguments);
                assert_same_training(history, &single, &format!("{optimizer}, {name}, seed {seed}"));
                assert_eq!(history["config"]["train"], single["config"]["train"]);
                assert_eq!(history["config"]["network"], single["config"]["network"]);
            }
        }
    }
}

/// Settings of an optimizer, and lines of `[train]`, of three variants each.
const SETTINGS: [(&str, [(&str, &str); 3]); 6] = [
    (
        "sgd",
        [
            ("momentum = 0.9", "penalty = { l2 = 0.01 }"),
            ("momentum = 0.5, weight_decay = 0.01", "schedule = { exponential = 0.7 }"),
            ("", "penalty = { l1 = 1e-3 }\nschedule = \"one_cycle\""),
        ],
    ),
    (
        "sgd",
        [
            ("momentum = 0.9, nesterov = true", "loss = { cross_entropy = { label_smoothing = 0.2 } }"),
            ("momentum = 0.5, nesterov = true", "early_stopping = { patience = 1, min_delta = 0.5 }"),
            ("momentum = 0.1, nesterov = true", "loss = { cross_entropy = { label_smoothing = 0.05 } }"),
        ],
    ),
    (
        "rmsprop",
        [
            ("alpha = 0.9, eps = 1e-3", ""),
            ("momentum = 0.5, eps = 1e-3", ""),
            ("eps = 0.01", "penalty = { l1 = 1e-3 }"),
        ],
    ),
    ("adam", [("betas = [0.5, 0.9], eps = 1e-3", ""), ("eps = 0.01", ""), ("eps = 1e-3", "schedule = \"cosine\"")]),
    ("adamw", [("betas = [0.5, 0.9], eps = 1e-3", ""), ("eps = 0.01", ""), ("weight_decay = 0.3, eps = 1e-3", "")]),
    (
        "adagrad",
        [
            ("lr_decay = 0.1, eps = 1e-3", ""),
            ("initial_accumulator_value = 0.1", ""),
            ("eps = 0.01", "penalty = { l2 = 0.01 }"),
        ],
    ),
];

#[test]
fn variants_with_settings_of_their_own_share_a_stack_and_equal_single_runs() {
    let fused = "[{ linear = 16 }, \"tanh\", { linear = 10 }]";
    let autograd = "[{ linear = 16 }, \"mish\", { linear = 10 }]";
    for layers in [fused, autograd] {
        for (optimizer, variants) in SETTINGS {
            let files = variants.map(|(settings, lines)| {
                let loss = if lines.contains("loss") { "" } else { "loss = \"cross_entropy\"\n" };
                format!("{loss}optimizer = {{ {optimizer} = {{ {settings} }} }}\n{lines}\n")
            });
            let dir = TestDir::new();
            let text = STUDY.replace("[0, 3]", "[3]").replace("loss = \"cross_entropy\"\n", "");
            let lines = text.lines().map(|line| match line.starts_with("layers") {
                true => format!("layers = {layers}\n"),
                false => format!("{line}\n"),
            });
            let text: String = lines.collect();
            let mut together = text.clone() + "loss = \"cross_entropy\"\noptimizer = \"sgd\"\n";
            for (number, file) in files.iter().enumerate() {
                let set: Vec<String> = file
                    .lines()
                    .filter_map(|line| line.split_once(" = "))
                    .map(|(key, value)| format!("\"train.{key}\" = {value}"))
                    .collect();
                together += &format!("[[variants]]\nname = \"v{number}\"\nset = {{ {} }}\n", set.join(", "));
            }
            let stack = dir.histories(&[&dir.file("together.toml", &together)]);
            for (file, history) in files.iter().zip(&stack) {
                assert_eq!(history["environment"]["replicas"], 3, "all in one stack");
                let single = dir.history(&[&dir.file("alone.toml", &(text.clone() + file))]);
                assert_eq!(history["config"]["train"], single["config"]["train"]);
                assert_eq!(history["status"], single["status"]);
                assert_same_training(history, &single, &format!("{layers}, {file}"));
            }
        }
    }
}

/// Everything that draws random numbers in training. GELU is smooth, so that rounding cannot switch a unit off.
const RANDOM: &str = r#"
title = "Dropout and augmentation in one stack"
seeds = "0..4"
[data.digits]
scale = "unit"
flatten = false
split = SPLIT
[network]
layers = ["flatten", { linear = { units = 16, bias = false } }, "batch_norm", "gelu", { dropout = 0.3 }, { linear = 10 }]
[train]
epochs = 3
batch = 64
loss = "cross_entropy"
optimizer = { sgd = { lr = 0.05, momentum = 0.9 } }
augment = { shift = 1, rotate = 10, noise = 0.1 }
"#;

#[test]
fn seeds_and_variants_with_dropout_and_augmentation_equal_single_runs() {
    let dir = TestDir::new();
    let variants = "[[variants]]\nname = \"base\"\n[[variants]]\nname = \"without\"\nset = { \"network.layers.4.dropout.p\" = 0 }\n\
        [[variants]]\nname = \"more\"\nset = { \"network.layers.4.dropout.p\" = 0.6, \"train.optimizer.sgd.lr\" = 0.02 }\n";
    let split = "{ validation = 0.2, test = 0.2, random_state = 1 }";
    let study = dir.file("study.toml", &(RANDOM.replace("SPLIT", split) + variants));
    let stack = dir.histories(&[&study]);
    assert_eq!(stack.len(), 15);
    for history in &stack {
        assert_eq!(history["environment"]["replicas"], 15, "all in one stack");
        let (variant, seed) = (history["variant"].as_str().unwrap(), history["seed"].to_string());
        let single = dir.history(&[&study, "--variant", variant, "--seed", &seed]);
        assert_same_training(history, &single, &format!("{variant}, seed {seed}"));
    }
    let losses: std::collections::BTreeSet<String> = stack.iter().map(|h| metric(h, "loss")[0].to_string()).collect();
    assert_eq!(losses.len(), 15, "each replica has other masks");
}

#[test]
fn folds_with_dropout_and_augmentation_equal_single_runs() {
    let dir = TestDir::new();
    let split = "{ folds = 3, test = 0.2, random_state = 1 }";
    let study = dir.file("study.toml", &RANDOM.replace("SPLIT", split).replace("0..4", "3..4"));
    let stack = dir.histories(&[&study]);
    let single = dir.histories(&[&study, "--stack", "1"]);
    assert_eq!((stack.len(), single.len()), (6, 6));
    for (stacked, single) in stack.iter().zip(&single) {
        let replicas = |history: &Value| history["environment"]["replicas"].as_u64().unwrap();
        assert!(replicas(stacked) > 1 && replicas(single) == 1);
        assert_eq!((&stacked["fold"], &stacked["seed"]), (&single["fold"], &single["seed"]));
        assert_same_training(stacked, single, &format!("fold {}, seed {}", single["fold"], single["seed"]));
    }
}

#[test]
fn stacks_too_large_for_the_cpu_cache_are_divided() {
    let dir = TestDir::new();
    // without `mish`, the network needs no autograd and no cache for all replicas
    let text = STUDY.replace("units = 16", "units = 4000").replace("relu", "mish").replace("epochs = 3", "epochs = 1");
    let wide = dir.file("wide.toml", &(text + "optimizer = \"sgd\"\n"));
    // 304,010 parameters, so three replicas have fewer than a million
    let stack = dir.histories(&[&wide, "--seeds", "0..4"]);
    let widths: Vec<i64> = stack.iter().map(|history| history["environment"]["replicas"].as_i64().unwrap()).collect();
    assert_eq!(widths, [3, 3, 3, 2, 2]);
    let shown = stdout(&dir.run(&["exp", &wide, "--seeds", "0..4", "--verbose"]).code(0));
    assert!(shown.contains("mean of 5"), "{shown}");
}
