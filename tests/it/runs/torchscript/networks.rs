//! Networks.

use safetensors::tensor::{SafeTensors, TensorView};
use tch::{Kind, Tensor};

use super::{assert_commands_use_copies, copy};
use crate::golden::fixture::{assert_curve, assert_near, floats, load_fixture};
use crate::support::{TestDir, assert_says, curves, stderr, stdout};

const IDEA: &str = r#"
title = "A network written in PyTorch"
[data.digits]
scale = "unit"
flatten = false
split = { validation = 0.25, random_state = 7, stratify = true }
[network]
torchscript = "net.pt"
[train]
epochs = 5
batch = 64
loss = "cross_entropy"
optimizer = { adam = { lr = 1e-3 } }
"#;

/// A directory with the experiment on this file.
fn dir_with(file: &str) -> TestDir {
    let dir = TestDir::new();
    copy(&dir, file, "net.pt");
    dir.write("idea.toml", IDEA);
    dir
}

/// An experiment on flat digits.
fn flat() -> String {
    IDEA.replace("flatten = false\n", "")
}

#[test]
fn curves_and_weights_equal_those_of_the_module_in_pytorch() {
    for run in load_fixture("torchscript")["runs"].as_array().unwrap() {
        let dir = dir_with(run["file"].as_str().unwrap());
        let history = dir.history(&["idea.toml", "--seed", &run["seed"].to_string(), "--threads", "1"]);
        for metric in ["loss", "val_loss"] {
            assert_curve(&history, &run["history"], metric, 5, 1e-6);
        }
        for metric in ["acc", "val_acc"] {
            assert_curve(&history, &run["history"], metric, 5, 1e-9);
        }
        let weights = dir.path(&format!("runs/idea/latest/base-seed{}.safetensors", run["seed"]));
        let bytes = std::fs::read(weights).unwrap();
        let weights = SafeTensors::deserialize(&bytes).unwrap();
        let mut names = weights.names();
        names.sort_unstable();
        let mut wanted: Vec<&String> = run["final"].as_object().unwrap().keys().collect();
        wanted.sort_unstable();
        assert_eq!(names, wanted);
        for name in names {
            let (tensor, wanted) = (weights.tensor(name).unwrap(), &run["final"][name]);
            let shape: Vec<usize> = serde_json::from_value(wanted[0].clone()).unwrap();
            assert_eq!(
                (tensor.shape(), format!("{:?}", tensor.dtype())),
                (&shape[..], wanted[2].as_str().unwrap().to_owned())
            );
            let tolerance = 1e-5 * (shape.iter().product::<usize>() as f64).sqrt();
            let (found, wanted) = (sum(name, &tensor), wanted[1].as_f64().unwrap());
            assert!((found - wanted).abs() <= tolerance * wanted.abs().max(1.0), "{name}: {found}, not {wanted}");
        }
    }
}

/// Returns the sum of a tensor, without the bias of the keys of attention, as `torchscript.py` explains.
fn sum(name: &str, tensor: &TensorView) -> f64 {
    let kind = runner::tensor::safetensors_file::kind(tensor.dtype()).unwrap();
    let shape: Vec<i64> = tensor.shape().iter().map(|&length| length as i64).collect();
    let values = Tensor::from_data_size(tensor.data(), &shape, kind);
    let all = values.sum(Kind::Double).double_value(&[]);
    match name.ends_with("in_proj_bias") {
        true => all - values.chunk(3, 0)[1].sum(Kind::Double).double_value(&[]),
        false => all,
    }
}

#[test]
fn test_metrics_equal_those_of_the_module_in_pytorch() {
    for run in load_fixture("torchscript")["runs"].as_array().unwrap() {
        let dir = dir_with(run["file"].as_str().unwrap());
        dir.write(
            "idea.toml",
            IDEA.replace("validation =", "test =").replace("epochs = 5", "epochs = 5\nkeep = \"last\""),
        );
        let history = dir.history(&["idea.toml", "--seed", &run["seed"].to_string(), "--threads", "1"]);
        for (metric, wanted) in run["test"].as_object().unwrap() {
            assert_near(&floats(&history["test"][metric]), &floats(wanted), 1e-6, metric);
        }
    }
}

#[test]
fn the_memory_estimate_counts_the_activations_of_a_module() {
    let dir = dir_with("resnet.pt");
    let mebibytes = |batch: &str| -> f64 {
        let arguments = ["exp", "idea.toml", "--dry-run", "--device", "cpu", "--set", batch];
        let shown = stdout(&dir.run(&arguments).code(0));
        shown.split(" MiB").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{shown}"))
    };
    // 8 x 8 values of 6 channels, in float32; the backward pass needs those of 8 convolutions, norms and activations
    let least = 448.0 * (8 * 8 * 6 * 4 * 8) as f64 / f64::from(1 << 20);
    let found = mebibytes("train.batch=512") - mebibytes("train.batch=64");
    assert!((least..4.0 * least).contains(&found), "{found} MiB for 448 rows, at least {least}");
}

#[test]
fn one_file_for_each_seed_and_drawn_parameters_differ_by_seed() {
    let dir = TestDir::new();
    copy(&dir, "lstm-0.pt", "lstm-0.pt");
    copy(&dir, "lstm-1.pt", "lstm-1.pt");
    dir.write("idea.toml", IDEA.replace("net.pt", "lstm-{seed}.pt"));
    let golden = load_fixture("torchscript");
    let runs = golden["runs"].as_array().unwrap();
    for stack in ["1", "2"] {
        // each replica has the dropout masks of its lone run
        let histories = dir.histories(&["idea.toml", "--seeds", "0,1", "--threads", "1", "--stack", stack]);
        for (history, run) in histories.iter().zip(&runs[runs.len() - 2..]) {
            assert_curve(history, &run["history"], "loss", 5, 1e-6);
        }
    }
    let message = dir.error_message(&["exp", "idea.toml", "--seeds", "0..2"]);
    assert_says(&message, &["`network.torchscript`", "lstm-2.pt"]);

    let dir = dir_with("drawn.pt");
    dir.write("idea.toml", flat());
    let drawn = dir.histories(&["idea.toml", "--seeds", "0,1", "--epochs", "1"]);
    assert_ne!(curves(&drawn[0]), curves(&drawn[1]));
}

#[test]
fn seeds_that_start_from_the_same_weights_are_noted() {
    let dir = dir_with("resnet.pt");
    let message = stderr(&dir.run(&["exp", "idea.toml", "--seeds", "0,1", "--epochs", "1"]).code(0));
    assert_says(&message, &["all seeds start from the weights in", "net.pt", "net-{seed}.pt"]);
}

#[test]
fn a_run_keeps_a_copy_that_all_commands_use() {
    let dir = dir_with("resnet.pt");
    let history = dir.history(&["idea.toml", "--seed", "0", "--epochs", "2"]);
    let shown = stdout(&dir.run(&["show", "idea.toml"]).code(0));
    assert_says(&shown, &["torchscript", "10"]);
    assert_commands_use_copies(&dir, &["net.pt"], &["show", "idea"], "network.torchscript");
    assert_eq!(std::fs::read_dir(dir.path("runs/idea")).unwrap().count(), 2, "the run and `latest`");
    assert_eq!(history["network"]["layers"][0]["kind"], "torchscript");
}

#[test]
fn killed_runs_of_each_kind_end_with_the_same_histories_and_weights() {
    for file in ["resnet.pt", "encoder.pt", "lstm-0.pt"] {
        let dir = dir_with(file);
        dir.write("idea.toml", IDEA.replace("epochs = 5", "epochs = 8"));
        let arguments = ["selftest", "resume", "idea.toml", "--kills", "3", "--device", "cpu", "--threads", "1"];
        assert_says(&stdout(&dir.run(&arguments).code(0)), &["3 kills in ", "to the last bit"]);
    }
}

#[test]
fn modules_that_cannot_be_used_are_refused_in_words() {
    let message = |file: &str, experiment: &str| {
        let dir = dir_with(file);
        dir.write("idea.toml", experiment);
        dir.error_message(&["exp", "idea.toml"])
    };
    for (file, words) in [
        ("state_dict.pt", "is a state dict or a pickled module (`torch.save`), not a TorchScript file"),
        ("twoarguments.pt", "has a `forward` with 2 arguments, but only the rows are passed"),
        ("unused.pt", "has parameters that get no gradient from its output: `forgotten.weight`, `forgotten.bias`"),
        ("pair.pt", "returns no tensor, but must return a float tensor with one row for each input row"),
        ("summed.pt", "returns the shape [10] for an input of shape [2, 64]"),
        ("resnet.pt", "fails on rows of 64: "),
    ] {
        assert_says(&message(file, &flat()), &["`network.torchscript`", words]);
    }
    let both = flat().replace("[train]", "layers = [{ linear = 10 }]\n[train]");
    assert_says(&message("drawn.pt", &both), &["`network.torchscript` and `network.layers` are both set"]);
    let outputs = flat().replace("cross_entropy", "bce_with_logits");
    assert_says(&message("drawn.pt", &outputs), &["`train.loss`"]);
    let dir = dir_with("drawn.pt");
    dir.write("net.pt", "not a module");
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["is not a TorchScript file", "torch.jit.script(module)"]);
    dir.write("idea.toml", IDEA.replace("net.pt", ""));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`network.torchscript` is empty"]);
    dir.write("idea.toml", IDEA);
    std::fs::remove_file(dir.path("net.pt")).unwrap();
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`network.torchscript` cannot be read", "net.pt"]);
}

#[test]
fn a_module_can_be_one_of_several_layers() {
    let dir = dir_with("drawn.pt");
    let layers = "layers = [{ torchscript = \"net.pt\" }, \"relu\", { linear = 10 }]";
    dir.write("idea.toml", flat().replace("torchscript = \"net.pt\"", layers));
    dir.history(&["idea.toml", "--seed", "0", "--epochs", "1"]);
    let bytes = std::fs::read(dir.path("runs/idea/latest/base-seed0.safetensors")).unwrap();
    let mut names =
        SafeTensors::deserialize(&bytes).unwrap().names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    names.sort_unstable();
    assert_eq!(names, ["0.linear.bias", "0.linear.weight", "2.bias", "2.weight"]);
}

#[test]
fn modules_of_a_shipped_experiment_are_written_to_the_cache_of_data_sets() {
    let dir = TestDir::new();
    let arguments = ["own_module", "--variant", "module", "--epochs", "1", "--threads", "1"];
    let first = dir.history(&arguments);
    let cached = dir.data_path("experiments/own_module/mlp.pt");
    assert!(cached.is_file());
    std::fs::write(&cached, "damaged").unwrap();
    assert_eq!(curves(&dir.history(&arguments)), curves(&first));
}
