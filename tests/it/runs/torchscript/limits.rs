//! Modules at the limits of what is accepted; the files are those of `tests/golden/torchscript_limits.py`.

use super::copy;
use crate::numpy_files::npy;
use crate::support::{TestDir, assert_same_training, assert_says, stderr, stdout};

const IDEA: &str = r#"
title = "A module at its limits"
[data.csv]
path = "table.csv"
target = "y"
split = { validation = 0.2, random_state = 1 }
[network]
torchscript = "net.pt"
[train]
epochs = 2
batch = 20
loss = "cross_entropy"
optimizer = { sgd = { lr = 0.1 } }
"#;

/// A table of 51 rows with four features, of which 40 are for training, a class `y` that the first one decides, and a number
/// `z`.
fn table() -> String {
    let rows = (0..51).map(|row| {
        let x = [1.7, 2.3, 3.1, 4.3].map(|step: f64| (f64::from(row) * step).sin());
        let class = if x[0] > 0.0 { "yes" } else { "no" };
        format!("{:.4},{:.4},{:.4},{:.4},{class},{:.4}\n", x[0], x[1], x[2], x[3], x[0] + x[1])
    });
    format!("a,b,c,d,y,z\n{}", rows.collect::<String>())
}

/// A directory with a module and an experiment on the table.
fn dir_with(file: &str, experiment: &str) -> TestDir {
    let dir = TestDir::new();
    copy(&dir, file, "net.pt");
    dir.write("table.csv", table());
    dir.write("idea.toml", experiment.replace("target = \"y\"", "target = \"y\"\ndrop = [\"z\"]"));
    dir
}

#[test]
fn modules_with_hidden_state_shared_memory_or_unknown_types_are_refused() {
    let traced = dir_with("tracednorm.pt", IDEA).error_message(&["exp", "idea.toml"]);
    let words =
        ["was traced in training mode", "use `torch.jit.script(net)`", "call `net.eval()` before `torch.jit.trace`"];
    assert_says(&traced.replace('\n', " "), &words);
    for (file, words) in [
        ("counter.pt", "gives other outputs when it trains again on the same rows"),
        ("attribute.pt", "gives other outputs in evaluation after rows were trained on"),
        ("evaluationbuffer.pt", "changes its buffer `seen` in evaluation"),
        ("reshaped.pt", "changes its buffer `last` from [2] of type Float to [] of type Float"),
        ("views.pt", "has two tensors in the same memory: `a.weight` and `b.weight`"),
        ("complex.pt", "has a buffer `phase` of type ComplexFloat, but files of weights hold"),
        ("frozen.pt", "has no parameters to train: a frozen module (`torch.jit.freeze`) holds constants"),
        ("floattokens.pt", "rows are float32: convert token ids in `forward` with `x.long()`"),
    ] {
        let message = dir_with(file, IDEA).error_message(&["exp", "idea.toml"]);
        assert_says(&message, &["`network.torchscript`", words]);
    }
}

#[test]
fn a_last_batch_of_one_row_is_an_error_before_training_if_the_module_fails_on_it() {
    for (file, reason) in [
        ("norm.pt", "Expected more than 1 value per channel when training"),
        ("squeeze.pt", "returns the shape [2] for an input of shape [1, 4]"),
    ] {
        let dir = dir_with(file, IDEA);
        let message = dir.error_message(&["exp", "idea.toml", "--set", "train.batch=13"]);
        let words = ["the last batch of an epoch has one row (40 training rows, `train.batch` is 13)", reason];
        assert_says(&message, &["`network.torchscript`", "set `train.batch = 14`"]);
        assert_says(&message, &words);
        dir.history(&["idea.toml", "--seed", "0", "--set", "train.batch=14"]);
    }
}

#[test]
fn a_parameter_without_gradient_in_a_batch_is_named() {
    let dir = dir_with("conditional.pt", IDEA);
    let message = stderr(&dir.run(&["exp", "idea.toml", "--seed", "0", "--device", "cpu"]).failure());
    assert_says(&message, &["its parameter `second.weight` gets no gradient from a batch"]);
    dir.history(&["idea.toml", "--seed", "0", "--set", "train.batch=8"]);
}

#[test]
fn probabilities_of_a_module_are_judged_at_one_half() {
    let own = IDEA.replace("epochs = 2", "epochs = 30").replace("\"cross_entropy\"", "{ torchscript = \"loss.pt\" }");
    let native = own.replace("{ torchscript = \"loss.pt\" }", "\"bce\"");
    let curves = [own, native].map(|experiment| {
        let dir = dir_with("sigmoid.pt", &experiment);
        copy(&dir, "ownbce.pt", "loss.pt");
        dir.history(&["idea.toml", "--seed", "0", "--threads", "1", "--set", "train.optimizer.sgd.lr=1.0"])
    });
    for history in &curves {
        let accuracy = history["history"]["val_acc"].as_array().unwrap().last().unwrap().as_f64().unwrap();
        assert!(accuracy > 0.85, "one class alone has about half of the rows: {accuracy}");
    }
    assert_eq!(curves[0]["history"]["val_acc"], curves[1]["history"]["val_acc"]);
    let notes = |file: &str| stderr(&dir_with(file, IDEA).run(&["exp", "idea.toml", "--seed", "0"]).code(0));
    assert_says(&notes("softmax.pt"), &["`cross_entropy` takes logits", "softmax"]);
    assert!(!notes("zeros.pt").contains("takes logits"), "outputs of 0 are no probabilities");
    let logits = dir_with("norm.pt", &IDEA.replace("cross_entropy", "nll"));
    let text = stderr(&logits.run(&["exp", "idea.toml", "--seed", "0"]).code(0));
    assert_says(&text, &["`nll` takes logarithms of probabilities, but the network returns other values"]);
    let message = dir_with("logit.pt", &IDEA.replace("cross_entropy", "bce")).error_message(&["exp", "idea.toml"]);
    assert_says(&message, &["`train.loss` does not fit: `bce` takes probabilities, but outputs of the module are"]);
}

#[test]
fn a_loss_that_broadcasts_is_noted() {
    let experiment = IDEA
        .replace("target = \"y\"", "target = \"z\"\ndrop = [\"y\"]")
        .replace("torchscript = \"net.pt\"", "layers = [{ linear = 1 }]");
    let experiment = experiment.replace("loss = \"cross_entropy\"", "loss = { torchscript = \"net.pt\" }");
    let notes = |file: &str| stderr(&dir_with(file, &experiment).run(&["exp", "idea.toml", "--seed", "0"]).code(0));
    assert_says(&notes("broadcast.pt"), &["net.pt", "combines", "broadcast"]);
    assert!(!notes("coupled.pt").contains("broadcast"), "it combines rows on purpose");
}

#[test]
fn token_ids_are_checked_before_a_run_starts() {
    let tokens =
        |ids: [f32; 12]| npy("<f4", &[6, 2], false, &ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<_>>());
    let good = [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 1.0];
    let classes = npy("<i8", &[6], false, &[0_i64, 1, 0, 1, 0, 1].map(i64::to_le_bytes).concat());
    let dir = TestDir::new();
    copy(&dir, "tokens.pt", "net.pt");
    for (file, ids) in [("x.npy", good), ("x_test.npy", good)] {
        dir.write(file, tokens(ids));
    }
    dir.write("y.npy", &classes);
    let experiment = |network: &str| {
        let arrays = "[data.arrays]\nx = \"x.npy\"\ny = \"y.npy\"\nx_test = \"x_test.npy\"\ny_test = \"y.npy\"";
        let before = IDEA.split("[data.csv]").next().unwrap();
        format!("{before}{arrays}\n[network]\n{network}\n[train]{}", IDEA.split("[train]").nth(1).unwrap())
    };
    dir.write("module.toml", experiment("torchscript = \"net.pt\""));
    dir.write(
        "layers.toml",
        experiment("layers = [{ embedding = { tokens = 5, units = 2 } }, \"flatten\", { linear = 2 }]"),
    );
    for file in ["module.toml", "layers.toml"] {
        dir.run(&["exp", file, "--seed", "0", "--device", "cpu"]).code(0);
    }
    let with = |wrong: f32| {
        let mut ids = good;
        ids[7] = wrong;
        dir.write("x_test.npy", tokens(ids));
    };
    with(7.0);
    let message = dir.error_message(&["exp", "layers.toml"]);
    assert_says(
        &message,
        &["`network.layers.0`", "ids from 0 to 4, but the test rows of `arrays` have ids from 0 to 7"],
    );
    assert_says(&message, &["set `tokens` to at least 8"]);
    let message = dir.error_message(&["exp", "module.toml"]);
    assert_says(&message, &["`network.torchscript`", "index out of range", "the values of `arrays` are from 0 to 7"]);
    assert_says(&message, &["`nn.Embedding(8, …)`"]);
    assert_says(&dir.error_message(&["exp", "layers.toml", "--dry-run"]), &["ids from 0 to 7"]);
    with(0.5);
    let message = dir.error_message(&["exp", "layers.toml"]);
    assert_says(&message, &["takes token ids, whole numbers from 0, but the test rows of `arrays` have 0.5"]);
    with(-1.0);
    assert_says(&dir.error_message(&["exp", "layers.toml"]), &["have ids from -1 to 4", "ids start at 0"]);
    assert_says(&dir.error_message(&["exp", "module.toml"]), &["are from -1 to 4", "ids start at 0"]);
}

#[test]
fn weights_of_all_types_are_saved_resumed_evaluated_and_stacked() {
    let experiment = "\ntitle = \"Types\"\n[data.digits]\nscale = \"unit\"\nflatten = false\n\
        split = { validation = 0.25, test = 0.2, random_state = 7 }\n[network]\ntorchscript = \"net.pt\"\n\
        [train]\nepochs = 8\nbatch = 64\nloss = \"cross_entropy\"\noptimizer = { adam = { lr = 1e-3 } }\n";
    let dir = dir_with("types.pt", experiment);
    let arguments = ["selftest", "resume", "idea.toml", "--kills", "3", "--device", "cpu", "--threads", "1"];
    assert_says(&stdout(&dir.run(&arguments).code(0)), &["3 kills in ", "to the last bit"]);
    let stacked = dir.histories(&["idea.toml", "--seeds", "0,1", "--threads", "1", "--stack", "2"]);
    let files = |seed: i32| std::fs::read(dir.path(&format!("runs/idea/latest/base-seed{seed}.safetensors"))).unwrap();
    let weights = [files(0), files(1)];
    dir.run(&["eval", "idea", "--strict"]).code(0);
    let header = |file: &[u8]| {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        file[8..8 + length].to_vec() // names, types and shapes
    };
    for (seed, history) in stacked.iter().enumerate() {
        let lone = dir.history(&["idea.toml", "--seed", &seed.to_string(), "--threads", "1"]);
        assert_same_training(&lone, history, "stack of two");
        assert_eq!(header(&files(seed as i32)), header(&weights[seed]), "seed {seed}");
    }
}
