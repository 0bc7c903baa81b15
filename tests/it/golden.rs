//! Held against PyTorch and scikit-learn: the figures in `tests/golden/*.json`, made by the scripts beside them.

use std::path::Path;
use std::sync::Mutex;

use runner::data::cache::Cache;
use runner::data::folds::{Fold, k_fold, stratified_k_fold};
use runner::data::form::Form;
use runner::data::numpy_random::RandomState;
use runner::data::scale::{Scale, Scaler};
use runner::data::source::DataSpec;
use runner::data::split::{Parts, Split, train_test_split, train_test_split_stratified};
use runner::data::{Loaded, Prepared, Rows, Target};
use runner::metrics::Metric;
use runner::metrics::confusion::Confusion;
use runner::metrics::decision::Decision;
use runner::metrics::report::Scores;
use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::{Architecture, Stack};
use runner::seed;
use runner::shape::Shape;
use runner::train::loss::Loss;
use runner::train::optimizer::{Optimizer, rates::Rates};
use runner::train::penalty::Penalty;
use runner::train::schedule::course::Course;
use runner::train::schedule::{Length, Schedule};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tch::nn::{ModuleT, OptimizerConfig};
use tch::{Device, Kind, Tensor};

use crate::support::Place;

/// libtorch's generator belongs to the whole process: tests that draw from it take turns.
static GENERATOR: Mutex<()> = Mutex::new(());

/// A fixture by its name.
fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The cases of a fixture that have one of these names; every name must occur.
fn cases<'a>(fixture: &'a Value, names: &[&str]) -> Vec<&'a Value> {
    let all = fixture["cases"].as_array().unwrap();
    let found: Vec<&Value> = all.iter().filter(|case| names.contains(&case["name"].as_str().unwrap())).collect();
    assert_eq!(found.len(), names.len());
    found
}

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn rows(value: &Value) -> Vec<usize> {
    serde_json::from_value(value.clone()).unwrap()
}

fn shape_of(value: &Value) -> Vec<i64> {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Value::Array(items) = inner {
        shape.push(items.len() as i64);
        inner = &items[0];
    }
    shape
}

fn tensor(value: &Value) -> Tensor {
    Tensor::from_slice(&floats(value)).to_kind(Kind::Float).view(&shape_of(value)[..])
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).contiguous().flatten(0, -1)).unwrap()
}

/// Each pair agrees to `tolerance`, relative to the size of the wanted value where that is above 1.
#[track_caller]
fn assert_near(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (place, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let apart = (found - wanted).abs() / wanted.abs().max(1.0);
        assert!(apart <= tolerance, "{what}, value {place}: found {found}, wanted {wanted}");
    }
}

#[track_caller]
fn assert_curve(history: &Value, golden: &Value, metric: &str, epochs: usize, tolerance: f64) {
    let (found, wanted) = (floats(&history["history"][metric]), floats(&golden[metric]));
    assert_near(&found[..epochs], &wanted[..epochs], tolerance, metric);
}

#[test]
fn digits_mlp_is_pytorchs_run_in_every_epoch() {
    let history = Place::new().history(&["digits_mlp", "--seed", "0"]);
    let golden = golden("digits_mlp");
    assert_curve(&history, &golden["history"], "loss", 100, 1e-5);
    assert_curve(&history, &golden["history"], "acc", 100, 1e-3);
}

#[test]
fn mlp_xor_is_pytorchs_run_with_both_seeds() {
    let golden = golden("mlp_xor");
    for run in golden["runs"].as_array().unwrap() {
        let seed = run["seed"].to_string();
        let history = Place::new().history(&["mlp_xor", "--seed", &seed]);
        // A unit that crosses 0 late in the run amplifies the last bit: PyTorch itself, with another matrix routine,
        // is 4e-5 off by then.
        assert_curve(&history, &run["history"], "loss", 200, 1e-5);
        assert_curve(&history, &run["history"], "loss", 500, 1e-3);
        let output =
            history["learned"]["predictions"].as_array().unwrap().iter().map(|p| p["output"].clone()).collect();
        assert_near(&floats(&Value::Array(output)), &floats(&run["predictions"]), 1e-2, "predictions");
    }
}

#[test]
fn perceptron_or_learns_pytorchs_weights() {
    let golden = golden("perceptron_or");
    let run = &golden["runs"][0];
    let history = Place::new().history(&["perceptron_or", "--seed", "0"]);
    assert_curve(&history, &run["history"], "loss", 500, 1e-5);
    for name in ["0.weight", "0.bias"] {
        assert_near(&floats(&history["learned"]["parameters"][name]), &floats(&run["final"][name]), 1e-5, name);
    }
}

#[test]
fn a_network_with_dropout_is_pytorchs_run_masks_included() {
    let place = Place::new();
    let file = place.file(
        "dropout_digits.toml",
        r#"
            title = "Dropout against PyTorch"
            seeds = [3]
            [data.digits]
            scale = "unit"
            split = { validation = 0.25, random_state = 7, stratify = true }
            [network]
            layers = [{ linear = 48 }, "relu", { dropout = 0.3 }, { linear = 10 }]
            [train]
            epochs = 5
            batch = 64
            loss = "cross_entropy"
            optimizer = { sgd = { lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 } }
        "#,
    );
    let history = place.history(&[&file]);
    let golden = golden("dropout_digits");
    for metric in ["loss", "val_loss"] {
        assert_curve(&history, &golden["history"], metric, 5, 1e-5);
    }
    for metric in ["acc", "val_acc"] {
        assert_curve(&history, &golden["history"], metric, 5, 3e-3);
    }
}

#[test]
fn two_epochs_of_overfit_mnist_are_pytorchs() {
    let history = Place::with_users_data().history(&["overfit_mnist", "--epochs", "2", "--seed", "0"]);
    let golden = golden("overfit_mnist");
    // On one kind of processor the two agree to 1e-6; between kinds, PyTorch differs from itself by up to 6e-4.
    for metric in ["loss", "acc", "val_loss", "val_acc"] {
        assert_curve(&history, &golden["history"], metric, 2, 2e-3);
    }
    assert_near(&floats(&history["test"]["loss"]), &floats(&golden["test"]["loss"]), 2e-3, "test loss");
    assert_near(&floats(&history["test"]["acc"]), &floats(&golden["test"]["acc"]), 2e-3, "test acc");
}

#[test]
fn linear_layers_draw_pytorchs_weights() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let fixture = golden("init");
    let linear = |units: u64| serde_json::from_value::<Layer>(json!({ "linear": { "units": units } })).unwrap();
    let layers = [linear(4), linear(3)];
    let stack = Architecture::follow(&layers, Init::Pytorch, &Shape::from([5])).unwrap().build(&[42], Device::Cpu);
    for (number, drawn) in fixture["linear"].as_array().unwrap().iter().enumerate() {
        assert_near(&values(stack.arena().leaf(2 * number)), &floats(&drawn["weight"]), 1e-7, "weight");
        assert_near(&values(stack.arena().leaf(2 * number + 1)), &floats(&drawn["bias"]), 1e-7, "bias");
    }
}

#[test]
fn the_order_of_an_epoch_is_pytorchs() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for case in golden("init")["randperm"].as_array().unwrap() {
        let wanted = rows(&case["order"]);
        let (seed, epoch) = (case["seed"].as_i64().unwrap(), case["epoch"].as_u64().unwrap());
        let order = seed::before_epoch(&[seed], epoch as usize, wanted.len(), true).unwrap();
        let found: Vec<i64> = Vec::try_from(order.flatten(0, -1)).unwrap();
        assert_eq!(found.iter().map(|&row| row as usize).collect::<Vec<_>>(), wanted);
    }
}

/// A stack of two replicas with the same parameters.
fn stack_of_two(layer: Value, input: &Value, parameters: &Value) -> Stack {
    let layer = match &layer {
        Value::String(_) => serde_json::from_value(layer).unwrap(),
        _ => serde_json::from_value::<Layer>(layer).unwrap(),
    };
    let shape = Shape::from(&shape_of(input)[1..]);
    let stack = Architecture::follow(&[layer], Init::Pytorch, &shape).unwrap().build(&[0, 1], Device::Cpu);
    let _no_grad = tch::no_grad_guard();
    for slot in stack.arena().slots() {
        let name = slot.name.trim_start_matches("0.");
        slot.view(stack.arena().values()).copy_(&tensor(&parameters[name]).unsqueeze(0));
    }
    stack
}

#[test]
fn every_layer_has_pytorchs_output_and_gradients_in_each_replica() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let layers = [
        ("linear", json!({ "linear": { "units": 2 } })),
        ("relu", json!("relu")),
        ("leaky_relu", json!({ "leaky_relu": 0.01 })),
        ("elu", json!({ "elu": {} })),
        ("elu_alpha", json!({ "elu": 0.5 })),
        ("gelu", json!({ "gelu": {} })),
        ("gelu_tanh", json!({ "gelu": { "approximate": "tanh" } })),
        ("softplus", json!({ "softplus": {} })),
        ("softplus_beta_threshold", json!({ "softplus": { "beta": 2, "threshold": 5 } })),
        ("sigmoid", json!("sigmoid")),
        ("tanh", json!("tanh")),
        ("softmax", json!("softmax")),
        ("flatten", json!("flatten")),
        ("batch_norm1d", json!({ "batch_norm": {} })),
        ("batch_norm2d", json!({ "batch_norm": { "eps": 1e-3, "momentum": 0.3 } })),
        ("layer_norm", json!({ "layer_norm": {} })),
        ("layer_norm_image", json!({ "layer_norm": {} })),
        ("conv2d", json!({ "conv2d": { "channels": 2, "kernel": 3, "padding": 1 } })),
        (
            "conv2d_oblong",
            json!({ "conv2d": { "channels": 3, "kernel": [2, 3], "stride": [2, 1], "padding": [0, 1], "bias": false } }),
        ),
        ("max_pool2d", json!({ "max_pool2d": 2 })),
        ("max_pool2d_overlapping", json!({ "max_pool2d": { "kernel": 3, "stride": 2, "padding": 1 } })),
        ("avg_pool2d", json!({ "avg_pool2d": 2 })),
        ("avg_pool2d_overlapping", json!({ "avg_pool2d": { "kernel": [2, 3], "stride": 1, "padding": 1 } })),
    ];
    let fixture = golden("layers");
    assert_eq!(fixture["cases"].as_array().unwrap().len(), layers.len(), "every case has its layer");
    for (name, layer) in layers {
        let case = cases(&fixture, &[name])[0];
        let stack = stack_of_two(layer, &case["calls"][0]["input"], &case["parameters"]);
        for (number, call) in case["calls"].as_array().unwrap().iter().enumerate() {
            let input = tensor(&call["input"]);
            let input = Tensor::stack(&[&input, &input], 0).set_requires_grad(true); // [2, batch, …]
            let output = stack.forward_t(&input, call["training"].as_bool().unwrap());
            let upstream = tensor(&call["upstream"]);
            let loss = (&output * upstream.unsqueeze(0)).sum(None);
            let mut wanted_from: Vec<&Tensor> = vec![&input];
            wanted_from.extend((0..stack.arena().slots().len()).map(|slot| stack.arena().leaf(slot)));
            let gradients = Tensor::run_backward(&[&loss], &wanted_from, true, false);
            for replica in 0..2 {
                let what = format!("{name}, call {number}, replica {replica}");
                assert_eq!(output.get(replica).size(), shape_of(&call["output"]), "{what}");
                assert_near(&values(&output.get(replica)), &floats(&call["output"]), 1e-6, &what);
                let input_gradient = floats(&call["input_gradient"]);
                assert_near(&values(&gradients[0].get(replica)), &input_gradient, 1e-6, &format!("{what}, input"));
                for (slot, gradient) in stack.arena().slots().iter().zip(&gradients[1..]) {
                    let wanted = &call["parameter_gradients"][slot.name.trim_start_matches("0.")];
                    assert_near(
                        &values(&gradient.get(replica)),
                        &floats(wanted),
                        1e-5,
                        &format!("{what}, {}", slot.name),
                    );
                }
                let buffers = call["buffers_after"].as_object().into_iter().flatten();
                assert_eq!(stack.arena().buffers().len(), buffers.clone().count(), "{what}");
                for (buffer, (name, wanted)) in stack.arena().buffers().iter().zip(buffers) {
                    assert_eq!(buffer.name, format!("0.{name}"));
                    assert_near(
                        &values(&buffer.values.get(replica)),
                        &floats(wanted),
                        1e-6,
                        &format!("{what}, {name}"),
                    );
                }
            }
        }
    }
}

/// Trains nothing, but runs a stack of three and its three lone networks twice in training mode, then in evaluation.
#[track_caller]
fn assert_stack_is_its_lone_networks(layers: &Value, tolerance: f64) {
    let layers: Vec<Layer> = serde_json::from_value(layers.clone()).unwrap();
    let network = Architecture::follow(&layers, Init::Pytorch, &Shape::from([2, 8, 8])).unwrap();
    let seeds = [1, 2, 3];
    let images = Tensor::arange(3 * 6 * 2 * 8 * 8, (Kind::Float, Device::Cpu)).sin().view([3, 6, 2, 8, 8]);
    let stack = network.build(&seeds, Device::Cpu);
    let lone = seeds.map(|seed| network.build(&[seed], Device::Cpu));
    for train in [true, true, false] {
        let outputs = stack.forward_t(&images, train); // [3, 6, …]
        let gradient = stack.arena().gradient(&outputs.square().mean(None));
        for (replica, lone) in lone.iter().enumerate() {
            let what = format!("replica {replica}, training {train}, {}", layers.last().unwrap().kind());
            let output = lone.forward_t(&images.narrow(0, replica as i64, 1), train);
            let lone_gradient = lone.arena().gradient(&(output.square().mean(None) / 3.0));
            let replica = replica as i64;
            assert_near(&values(&outputs.get(replica)), &values(&output), tolerance, &what);
            assert_near(&values(&gradient.get(replica)), &values(&lone_gradient), tolerance, &what);
            for (found, wanted) in stack.arena().buffers().iter().zip(lone.arena().buffers()) {
                assert_near(&values(&found.values.get(replica)), &values(&wanted.values), tolerance, &found.name);
            }
        }
    }
    let outputs = stack.forward_t(&images, false);
    assert!((outputs.get(0) - outputs.get(1)).abs().max().double_value(&[]) > 0.1, "replicas differ");
}

#[test]
fn a_stack_of_image_networks_is_its_lone_networks_gradients_and_running_averages_included() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let conv2d = json!({ "conv2d": { "channels": 4, "kernel": 3, "padding": 1 } });
    let behind_it = [
        json!({ "conv2d": { "channels": 3, "kernel": [2, 1], "stride": [2, 1], "bias": false } }),
        json!({ "batch_norm": {} }),
        json!({ "layer_norm": {} }),
        json!({ "max_pool2d": 2 }),
        json!({ "avg_pool2d": { "kernel": 2, "stride": 1 } }),
        json!("flatten"),
    ];
    for layer in &behind_it {
        assert_stack_is_its_lone_networks(&json!([conv2d, layer]), 1e-6);
    }
    // Normalizing a few rows over and over amplifies the last bit.
    let [strided, batch_norm, layer_norm, max_pool, avg_pool, flatten] = &behind_it;
    let linear = json!({ "linear": { "units": 5 } });
    let whole =
        json!([conv2d, batch_norm, "relu", max_pool, strided, layer_norm, avg_pool, flatten, batch_norm, linear]);
    assert_stack_is_its_lone_networks(&whole, 1e-5);
}

#[test]
fn the_gradient_of_stacked_convolutions_is_the_slope_of_their_loss() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let conv2d = json!({ "conv2d": { "channels": 2, "kernel": [3, 2], "stride": 2, "padding": 1 } });
    let layers = [serde_json::from_value::<Layer>(conv2d).unwrap()];
    let stack = Architecture::follow(&layers, Init::Pytorch, &Shape::from([2, 5, 5])).unwrap();
    let stack = stack.build(&[4, 5], Device::Cpu);
    let images = Tensor::arange(2 * 3 * 2 * 5 * 5, (Kind::Float, Device::Cpu)).sin().view([2, 3, 2, 5, 5]);
    let loss = || stack.forward_t(&images, true).square().sum(Kind::Double);
    let gradient = stack.arena().gradient(&loss()); // [2, parameters]
    let _no_grad = tch::no_grad_guard();
    for replica in 0..2 {
        for parameter in 0..stack.arena().values().size()[1] {
            let mut value = stack.arena().values().get(replica).get(parameter);
            // The loss is a parabola in each parameter, so the slope of its chord is exact whatever the step.
            let _ = value.g_add_scalar_(0.5);
            let above = loss().double_value(&[]);
            let _ = value.g_sub_scalar_(1.0);
            let below = loss().double_value(&[]);
            let _ = value.g_add_scalar_(0.5);
            let found = gradient.double_value(&[replica, parameter]);
            assert_near(&[found], &[above - below], 1e-4, &format!("replica {replica}, parameter {parameter}"));
        }
    }
}

#[test]
fn every_initialization_draws_pytorchs_numbers() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let fixture = golden("init");
    let drawn = |layer: Value, input: Shape, init: Init| {
        let layer = serde_json::from_value::<Layer>(layer).unwrap();
        Architecture::follow(&[layer], init, &input).unwrap().build(&[42], Device::Cpu)
    };
    let schemes = fixture["schemes"].as_array().unwrap();
    assert_eq!(schemes.len(), 18);
    for scheme in schemes {
        let name = scheme["name"].as_str().unwrap();
        let settings = match name {
            "uniform" => json!({ "low": scheme["options"]["a"], "high": scheme["options"]["b"] }),
            _ => json!({}),
        };
        let init = json!({ name: settings });
        let (layer, input) = match rows(&scheme["shape"])[..] {
            [out, inputs] => (json!({ "linear": { "units": out, "init": init } }), Shape::from([inputs as i64])),
            [out, channels, height, width] => (
                json!({ "conv2d": { "channels": out, "kernel": [height, width], "init": init } }),
                Shape::from([channels as i64, 4, 4]),
            ),
            _ => panic!("a weight has two or four dimensions"),
        };
        let stack = drawn(layer, input, Init::Zeros);
        assert_near(&values(stack.arena().leaf(0)), &floats(&scheme["values"]), 1e-7, &scheme.to_string());
        assert_eq!(values(&stack.arena().leaf(1).abs().max()), [0.0], "biases start at 0");
    }
    let stack = drawn(json!({ "conv2d": { "channels": 3, "kernel": [2, 3] } }), Shape::from([2, 4, 4]), Init::Pytorch);
    assert_near(&values(stack.arena().leaf(0)), &floats(&fixture["conv2d"]["weight"]), 1e-7, "conv2d weight");
    assert_near(&values(stack.arena().leaf(1)), &floats(&fixture["conv2d"]["bias"]), 1e-7, "conv2d bias");
}

/// The loss of a fixture's case: PyTorch's function and its options by our names.
fn loss(case: &Value) -> Loss {
    let options = &case["options"];
    let weights = |name: &str| options.get(name).cloned().unwrap_or(Value::Null);
    let one_hot = shape_of(&case["target"]).len() == 2;
    let written = match case["function"].as_str().unwrap().rsplit('.').next().unwrap() {
        "mse_loss" => json!("mse"),
        "l1_loss" => json!("l1"),
        "huber_loss" => json!({ "huber": options }),
        "binary_cross_entropy" => json!("bce"),
        "binary_cross_entropy_with_logits" => json!({ "bce_with_logits": { "pos_weight": weights("pos_weight") } }),
        "nll_loss" => json!({ "nll": { "class_weights": weights("weight") } }),
        "cross_entropy" => json!({ "cross_entropy": {
            "label_smoothing": options.get("label_smoothing").unwrap_or(&json!(0.0)),
            "class_weights": weights("weight"),
            "targets": if one_hot { "one_hot" } else { "sparse" },
        } }),
        other => panic!("an unknown loss: {other}"),
    };
    serde_json::from_value(written).unwrap()
}

#[test]
fn every_loss_has_pytorchs_value_and_gradient_for_logits_of_200_too() {
    let fixture = golden("losses");
    let all = fixture["cases"].as_array().unwrap();
    assert_eq!(all.len(), 16);
    for case in all {
        let (name, loss) = (case["name"].as_str().unwrap(), loss(case));
        let as_batch = |value: &Value| match shape_of(value)[..] {
            [rows] => tensor(value).view([1, rows, 1]),
            _ => tensor(value).unsqueeze(0),
        };
        let targets = match (&loss, &shape_of(&case["target"])[..]) {
            (Loss::CrossEntropy(_) | Loss::Nll(_), [_]) => tensor(&case["target"]).to_kind(Kind::Int64).unsqueeze(0),
            _ => as_batch(&case["target"]),
        };
        for replicas in [1, 3] {
            let each = |tensor: &Tensor| Tensor::cat(&vec![tensor; replicas], 0);
            let outputs = each(&as_batch(&case["input"])).set_requires_grad(true); // [replicas, rows, outputs]
            let targets = each(&targets);
            let criterion = loss.criterion(&targets, outputs.size()[2] as usize);
            let found = criterion.of_each_replica(&outputs, &targets);
            let gradient = Tensor::run_backward(&[found.sum(None)], &[&outputs], false, false).remove(0);
            assert_near(&values(&found), &vec![case["value"].as_f64().unwrap(); replicas], 1e-6, name);
            for replica in 0..replicas as i64 {
                assert_near(&values(&gradient.get(replica)), &floats(&case["gradient"]), 1e-6, name);
            }
        }
    }
}

/// A figure of a fixture, NaN where it has no value.
fn or_nan(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// The metric of two replicas with the same rows; both must agree with `wanted`, which may be NaN.
#[track_caller]
fn assert_metric(metric: Value, outputs: &Tensor, truth: &Tensor, decision: Decision, wanted: &Value, what: &str) {
    let metric = match &metric {
        Value::String(_) | Value::Object(_) => serde_json::from_value::<Metric>(metric).unwrap(),
        other => panic!("not a metric: {other}"),
    };
    let twice = |tensor: &Tensor| Tensor::stack(&[tensor, tensor], 0);
    let found = metric.of_each_replica(&twice(outputs), &twice(truth), decision);
    assert_eq!((found.kind(), found.size()), (Kind::Double, vec![2]), "{what}");
    for found in values(&found) {
        let wanted = or_nan(wanted);
        let near = (found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0);
        assert!(near || (found.is_nan() && wanted.is_nan()), "{} of {what}: {found}, wanted {wanted}", metric.name());
    }
}

#[test]
fn confusion_matrices_and_reports_are_scikit_learns() {
    let scores = |scores: &Scores| [scores.precision, scores.recall, scores.f1];
    let wanted_scores = |value: &Value| ["precision", "recall", "f1"].map(|name| value[name].as_f64());
    let assert_scores = |found: [Option<f64>; 3], wanted: [Option<f64>; 3], what: &str| {
        for (found, wanted) in found.iter().zip(wanted) {
            assert_eq!(found.is_some(), wanted.is_some(), "{what}");
            let apart = (found.unwrap_or_default() - wanted.unwrap_or_default()).abs();
            assert!(apart < 1e-12, "{what}: found {found:?}, wanted {wanted:?}");
        }
    };
    for case in golden("metrics")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let confusion: Confusion = serde_json::from_value(case["confusion"].clone()).unwrap();
        let report = confusion.report();
        assert_near(&[report.accuracy.unwrap()], &floats(&case["accuracy"]), 1e-12, name);
        let by_class = &case["per_class"];
        for (number, class) in report.classes.iter().enumerate() {
            let wanted = ["precision", "recall", "f1"].map(|score| by_class[score][number].as_f64());
            assert_scores(scores(&class.scores), wanted, name);
            assert_eq!(json!(class.support), by_class["support"][number], "{name}");
        }
        assert_scores(scores(&report.macro_average), wanted_scores(&case["macro"]["over_defined"]), name);
        assert_scores(scores(&report.weighted_average), wanted_scores(&case["weighted"]["over_defined"]), name);

        if case["true"].is_null() {
            continue;
        }
        let classes = case["labels"].as_array().unwrap().len();
        let truth = tensor(&case["true"]).to_kind(Kind::Int64); // [rows]
        let outputs = tensor(&case["predicted"]).to_kind(Kind::Int64).one_hot(classes as i64).to_kind(Kind::Float);
        let found = Confusion::of_replicas(&outputs.unsqueeze(0), &truth.unsqueeze(0), Decision::Largest).unwrap();
        assert_eq!(found, [confusion], "{name}");
        assert_metric(json!("acc"), &outputs, &truth, Decision::Largest, &case["accuracy"], name);
        for score in ["precision", "recall", "f1"] {
            let wanted = if classes == 2 { &by_class[score][1] } else { &case["macro"]["over_defined"][score] };
            assert_metric(json!(score), &outputs, &truth, Decision::Largest, wanted, name);
            if classes == 2 {
                let one_output = outputs.narrow(1, 1, 1);
                assert_metric(json!(score), &one_output, &truth, Decision::Above(0.5), wanted, name);
            }
        }
    }
}

#[test]
fn areas_under_the_roc_curve_are_scikit_learns_with_ties_and_one_class() {
    for case in golden("metrics_more")["roc_auc"].as_array().unwrap() {
        let (name, truth) = (case["name"].as_str().unwrap(), tensor(&case["true"]).to_kind(Kind::Int64));
        let scores = tensor(&case["scores"]).unsqueeze(-1); // [rows, 1]
        assert_metric(json!("roc_auc"), &scores, &truth, Decision::Above(0.0), &case["roc_auc"], name);
        let two_outputs = Tensor::cat(&[&(&scores * -1.0), &scores], 1);
        assert_metric(json!("roc_auc"), &two_outputs, &truth, Decision::Largest, &case["roc_auc"], name);
    }
}

#[test]
fn metrics_of_ranks_labels_and_numbers_are_scikit_learns() {
    let fixture = golden("metrics_more");
    let case = &fixture["top_k"];
    let (scores, truth) = (tensor(&case["scores"]), tensor(&case["true"]).to_kind(Kind::Int64));
    for (k, wanted) in case["top_k"].as_object().unwrap() {
        let metric = json!({ "top_k": k.parse::<usize>().unwrap() });
        assert_metric(metric, &scores, &truth, Decision::Largest, wanted, k);
    }
    assert_metric(json!("acc"), &scores, &truth, Decision::Largest, &case["top_k"]["1"], "accuracy");

    for case in fixture["labels"].as_array().unwrap() {
        let (scores, truth) = (tensor(&case["scores"]), tensor(&case["true"]));
        for name in ["acc", "precision", "recall", "f1", "roc_auc"] {
            let what = case["name"].as_str().unwrap();
            assert_metric(json!(name), &scores, &truth, Decision::EachAbove(0.0), &case[name], what);
        }
    }

    for case in fixture["regression"].as_array().unwrap() {
        let (predicted, truth) = (tensor(&case["predicted"]), tensor(&case["true"]));
        for name in ["me", "mae", "mse", "rmse", "mape", "r2"] {
            let what = case["name"].as_str().unwrap();
            assert_metric(json!(name), &predicted, &truth, Decision::Value, &case[name], what);
        }
    }
}

#[test]
fn balanced_class_weights_are_scikit_learns() {
    let fixture = golden("metrics_more");
    let case = &fixture["class_weights"];
    let truth = tensor(&case["true"]).to_kind(Kind::Int64).unsqueeze(0);
    let logits = Tensor::from_slice(&[0.5_f32, -1.0, 2.0]).expand([1, truth.size()[1], 3], false);
    let of = |weights: &Value| {
        let loss = json!({ "cross_entropy": { "class_weights": weights } });
        let loss: Loss = serde_json::from_value(loss).unwrap();
        values(&loss.criterion(&truth, 3).of_each_replica(&logits, &truth))
    };
    assert_near(&of(&json!("balanced")), &of(&case["balanced"]), 1e-6, "balanced");
}

#[test]
fn a_run_keeps_the_confusion_matrix_of_its_test_rows_and_one_hot_targets_change_no_curve() {
    let place = Place::new();
    let run = |loss: &str| {
        let text = format!(
            r#"
            title = "Digits with metrics"
            seeds = [0]
            [data.digits]
            scale = "unit"
            split = {{ validation = 0.2, test = 0.2, random_state = 7, stratify = true }}
            [network]
            layers = [{{ linear = 16 }}, "relu", {{ linear = 10 }}]
            [train]
            epochs = 3
            batch = 64
            loss = {loss}
            optimizer = "adam"
            metrics = ["accuracy", {{ top_k = 3 }}, "precision", "recall", "f1"]
            monitor = "val_f1"
            "#
        );
        place.history(&[&place.file("metrics.toml", &text)])
    };
    let sparse = run("\"sparse_categorical_crossentropy\"");
    let one_hot = run("\"categorical_crossentropy\"");
    for metric in ["loss", "val_loss", "acc", "val_acc", "val_top_3"] {
        assert_curve(&sparse, &one_hot["history"], metric, 3, 1e-5);
    }
    let test = &sparse["test"];
    let confusion: Confusion = serde_json::from_value(test["confusion"].clone()).unwrap();
    assert_eq!(confusion.0.iter().flatten().sum::<u64>(), sparse["data"]["rows"]["test"].as_u64().unwrap());
    let report = confusion.report();
    assert_near(&floats(&test["acc"]), &[report.accuracy.unwrap()], 1e-12, "acc");
    assert_near(&floats(&test["f1"]), &[report.macro_average.f1.unwrap()], 1e-12, "f1");
    assert_eq!(sparse["best"]["monitor"], "val_f1");
}

/// The optimizer of a fixture's options; what PyTorch has and we have not must be switched off in them.
fn optimizer(kind: &str, options: &Value) -> Optimizer {
    let mut options = options.clone();
    let dampening = options.as_object_mut().unwrap().remove("dampening");
    assert!(dampening.is_none_or(|value| value == json!(0)));
    serde_json::from_value(json!({ kind: options })).unwrap()
}

#[test]
fn every_optimizer_takes_pytorchs_steps_in_each_replica() {
    let fixture = golden("optimizers");
    let names = [
        "sgd",
        "sgd_momentum",
        "sgd_nesterov",
        "sgd_momentum_weight_decay",
        "rmsprop",
        "rmsprop_keras",
        "rmsprop_momentum",
        "rmsprop_centered_weight_decay",
        "adam",
        "adam_betas_eps_weight_decay",
        "adam_amsgrad",
        "adam_amsgrad_short_memory",
        "adamw_weight_decay",
        "adamw_amsgrad_short_memory",
        "adagrad",
        "adagrad_decay",
    ];
    assert_eq!(names.len(), fixture["cases"].as_array().unwrap().len());
    for case in cases(&fixture, &names) {
        let name = case["name"].as_str().unwrap();
        let optimizer = optimizer(name.split('_').next().unwrap(), &case["options"]);
        let mut rule = optimizer.start();
        let rates = Rates::new(&[optimizer.lr(); 2], Device::Cpu);
        let start = tensor(&fixture["start"]);
        let mut parameters = Tensor::stack(&[&start, &start], 0); // [2, parameters]
        for (step, gradient) in fixture["gradients"].as_array().unwrap().iter().enumerate() {
            let gradient = tensor(gradient);
            rule.step(&mut parameters, &Tensor::stack(&[&gradient, &gradient], 0), &rates);
            for replica in 0..2 {
                let what = format!("{name}, step {step}, replica {replica}");
                assert_near(&values(&parameters.get(replica)), &floats(&case["after"][step]), 1e-5, &what);
            }
        }
    }
}

#[test]
fn every_optimizer_takes_the_steps_of_tchs_own() {
    let lr = 0.01;
    let ours = [
        optimizer("sgd", &json!({ "lr": lr, "momentum": 0.9, "weight_decay": 0.01 })),
        optimizer("rmsprop", &json!({ "lr": lr, "momentum": 0.9 })),
        optimizer("adam", &json!({ "lr": lr, "weight_decay": 0.01 })),
        optimizer("adamw", &json!({ "lr": lr, "weight_decay": 0.1 })),
    ];
    for ours in ours {
        let store = tch::nn::VarStore::new(Device::Cpu);
        let start = Tensor::from_slice(&[0.5_f32, -1.2, 3.0]);
        let parameters = store.root().var_copy("parameters", &start);
        let mut theirs = match &ours {
            Optimizer::Sgd(_) => tch::nn::sgd(0.9, 0.0, 0.01, false).build(&store, lr),
            Optimizer::Rmsprop(_) => tch::nn::rms_prop(0.99, 1e-8, 0.0, 0.9, false).build(&store, lr),
            Optimizer::Adam(_) => tch::nn::adam(0.9, 0.999, 0.01).build(&store, lr),
            Optimizer::Adamw(_) => tch::nn::adamw(0.9, 0.999, 0.1).build(&store, lr),
            Optimizer::Adagrad(_) => unreachable!("tch has none"),
        }
        .unwrap();
        let mut arena = start.unsqueeze(0);
        let mut rule = ours.start();
        let rates = Rates::new(&[lr], Device::Cpu);
        for step in 0..20 {
            let weights = Tensor::from_slice(&[1.0_f32, -2.0, 0.5]) * f64::from(step % 3);
            theirs.backward_step(&(parameters.square() * &weights).sum(None));
            let gradient = &arena * 2.0 * &weights.unsqueeze(0);
            rule.step(&mut arena, &gradient, &rates);
            assert_near(&values(&arena), &values(&parameters), 1e-6, &format!("{}, step {step}", ours.name()));
        }
    }
}

#[test]
fn the_random_stream_is_numpys() {
    let fixture = &golden("splits")["numpy"];
    for case in fixture["permutation"].as_array().unwrap() {
        let n = case["n"].as_u64().unwrap() as usize;
        let found = RandomState::new(case["seed"].as_u64().unwrap() as u32).permutation(n);
        assert_eq!(found, rows(&case["values"]));
    }
    for case in fixture["choice_without_replacement"].as_array().unwrap() {
        let numbers: Vec<usize> = (0..case["n"].as_u64().unwrap() as usize).collect();
        let size = case["size"].as_u64().unwrap() as usize;
        let found = RandomState::new(case["seed"].as_u64().unwrap() as u32).choose(&numbers, size);
        assert_eq!(found, rows(&case["values"]));
    }
}

#[test]
fn splits_are_scikit_learns_rows() {
    let fixture = golden("splits");
    for case in fixture["shuffled"].as_array().unwrap() {
        let (share, state) = (case["test_size"].as_f64().unwrap(), case["random_state"].as_u64().unwrap() as u32);
        let (train, test) = train_test_split(case["n"].as_u64().unwrap() as usize, share, state);
        assert_eq!((train, test), (rows(&case["train"]), rows(&case["test"])), "{case}");
    }
    for case in fixture["stratified"].as_array().unwrap() {
        let (share, state) = (case["test_size"].as_f64().unwrap(), case["random_state"].as_u64().unwrap() as u32);
        let labels: Vec<i64> = serde_json::from_value(case["labels"].clone()).unwrap();
        let (train, test) = train_test_split_stratified(&labels, share, state);
        assert_eq!((train, test), (rows(&case["train"]), rows(&case["test"])), "{case}");
    }
}

#[test]
fn the_split_of_mnist_and_stratified_ones_of_its_size_are_scikit_learns_rows() {
    let check = |part: &[usize], wanted: &Value, what: &str| {
        let bytes: Vec<u8> = part.iter().flat_map(|&row| (row as i64).to_le_bytes()).collect();
        let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(part.len(), wanted["size"].as_u64().unwrap() as usize, "{what}");
        assert_eq!(part[..20], rows(&wanted["first"])[..20], "{what}");
        assert_eq!(json!(sum), wanted["sha256"], "{what}");
    };
    let fixture = golden("splits");
    for case in fixture["large"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (share, state) = (case["test_size"].as_f64().unwrap(), case["random_state"].as_u64().unwrap() as u32);
        let (train, test) = match name {
            "mnist" => train_test_split(60_000, share, state),
            "made_stratified" => {
                let labels: Vec<i64> = (0..60_000_i64).map(|i| (i * i * 31 + i / 7) % 10).collect();
                train_test_split_stratified(&labels, share, state)
            }
            "digits_stratified" => {
                let spec = runner::data::source::DataSpec::by_name("digits").unwrap();
                let cache = runner::data::cache::Cache::at("unused: digits are in the binary");
                let labels = spec.load(&cache, &mut ()).unwrap().rows.targets;
                train_test_split_stratified(&Vec::<i64>::try_from(labels).unwrap(), share, state)
            }
            other => panic!("an unknown case: {other}"),
        };
        check(&train, &case["train"], name);
        check(&test, &case["test"], name);
    }
}

#[test]
fn every_schedule_takes_pytorchs_learning_rates() {
    let fixture = golden("schedules");
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let schedule: Schedule = serde_json::from_value(case["schedule"].clone()).unwrap();
        let [epochs, steps] = ["epochs", "steps"].map(|key| case[key].as_u64().unwrap() as usize);
        let metric = &case["metric"];
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let seen: Vec<f64> =
            metric["values"].as_array().map(|all| all.iter().map(number).collect()).unwrap_or_default();
        let start = fixture["settings"]["lr"].as_f64().unwrap();
        let higher_is_better = |_: &str| metric["mode"] == json!("max");
        let length = Length { epochs, steps };
        let mut course = Course::new(&schedule, vec![start; 2], length, Device::Cpu, "val_loss", higher_is_better);
        let mut found = [Vec::new(), Vec::new()];
        for epoch in 1..=epochs {
            for step in 0..steps {
                course.rates(epoch, step);
                found.iter_mut().zip(course.lrs()).for_each(|(found, lr)| found.push(*lr));
            }
            if let Some(&value) = seen.get(epoch - 1) {
                course.observe(epoch, &[("val_loss".to_owned(), vec![value; 2])]);
            }
        }
        for found in found {
            assert_near(&found, &floats(&case["lr"]), 1e-10, case["name"].as_str().unwrap());
        }
    }
}

/// An experiment on the digits, with these further lines of `[train]`.
fn digits(place: &Place, split: &str, seeds: &str, epochs: usize, train: &str) -> String {
    let text = format!(
        r#"
            title = "Digits"
            seeds = {seeds}
            [data.digits]
            scale = "unit"
            split = {split}
            [network]
            layers = [{{ linear = 32 }}, "relu", {{ linear = 10 }}]
            [train]
            epochs = {epochs}
            batch = 64
            loss = "cross_entropy"
            {train}
        "#
    );
    place.file("digits.toml", &text)
}

#[test]
fn runs_with_a_schedule_clipping_and_penalties_are_pytorchs() {
    for run in golden("schedules")["runs"].as_array().unwrap() {
        let place = Place::new();
        let mut train = format!("optimizer = {}\n", inline(&run["train"]["optimizer"]));
        for key in ["schedule", "clip"] {
            if !run["train"][key].is_null() {
                train += &format!("{key} = {}\n", inline(&run["train"][key]));
            }
        }
        train += "penalty = { l1 = 1e-4, l2 = 1e-3 }";
        let history = place.history(&[&digits(&place, "{}", "[0]", 4, &train)]);
        assert_curve(&history, &run["history"], "loss", 4, 1e-5);
        assert_curve(&history, &run["history"], "lr", 4, 1e-10);
    }
}

/// A JSON value as TOML.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn a_replica_that_stops_early_ends_as_its_lone_run_and_holds_nobody_up() {
    let train = r#"
        optimizer = { sgd = { lr = 0.3 } }
        schedule = { reduce_on_plateau = { patience = 0, factor = 0.5, threshold = 0.2 } }
        early_stopping = { monitor = "val_acc", patience = 1 }
        keep = "last"
    "#;
    let split = "{ validation = 0.2, test = 0.2, random_state = 1 }";
    let run = |seeds: &str| {
        let place = Place::new();
        place.histories(&[&digits(&place, split, seeds, 6, train)])
    };
    let seeds = [3, 1, 0];
    let stack = run("[3, 1, 0]");
    let ends: Vec<(&str, usize)> = stack
        .iter()
        .map(|history| (history["status"].as_str().unwrap(), history["history"]["epoch"].as_array().unwrap().len()))
        .collect();
    assert_eq!(ends, [("early_stopped", 3), ("completed", 6), ("completed", 6)]);
    assert_ne!(stack[1]["history"]["lr"], stack[2]["history"]["lr"], "each has its own learning rate");
    for (seed, history) in seeds.iter().zip(&stack) {
        let lone = run(&format!("[{seed}]")).remove(0);
        assert_eq!((&lone["status"], &lone["history"]["epoch"]), (&history["status"], &history["history"]["epoch"]));
        for metric in ["loss", "val_loss", "acc", "val_acc", "lr"] {
            let (found, wanted) = (floats(&history["history"][metric]), floats(&lone["history"][metric]));
            assert_near(&found, &wanted, 1e-5, &format!("seed {seed}, {metric}"));
        }
        // the weights are those of its own last epoch, though the stack has gone on
        assert_near(&floats(&history["test"]["loss"]), &floats(&lone["test"]["loss"]), 1e-5, "test loss");
    }
}

#[test]
fn a_penalty_is_that_of_the_weights_of_each_replica() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let linear = |units: u64| serde_json::from_value::<Layer>(json!({ "linear": { "units": units } })).unwrap();
    let layers = [linear(3), linear(2)];
    let stack = Architecture::follow(&layers, Init::Pytorch, &Shape::from([4])).unwrap().build(&[0, 1], Device::Cpu);
    let arena = stack.arena();
    let of_slot = |slot: usize| {
        let (leaf, name) = (arena.leaf(slot), &arena.slots()[slot].name);
        let factor = if name.ends_with("weight") { 1.0 } else { 0.0 };
        (leaf.abs().sum(None) * 0.1 + leaf.square().sum(None) * 0.2) * factor
    };
    let penalty: Tensor = (0..arena.slots().len()).map(of_slot).sum();
    let wanted = arena.gradient(&penalty);
    let _no_grad = tch::no_grad_guard();
    let mut found = wanted.zeros_like();
    Penalty { l1: 0.1, l2: 0.2 }.on(arena).add_to(&mut found, arena.values());
    assert_near(&values(&found), &values(&wanted), 1e-6, "the penalty's gradient");
    assert_eq!(found.size()[0], 2);
}

#[test]
fn an_l1_penalty_drives_weights_to_zero_and_leaves_biases() {
    let _turn = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let layer = serde_json::from_value::<Layer>(json!({ "linear": { "units": 3 } })).unwrap();
    let stack = Architecture::follow(&[layer], Init::Pytorch, &Shape::from([4])).unwrap().build(&[0, 1], Device::Cpu);
    let arena = stack.arena();
    let _no_grad = tch::no_grad_guard();
    let biases = values(arena.leaf(1));
    let penalty = Penalty { l1: 1.0, l2: 0.0 }.on(arena);
    let mut sgd = optimizer("sgd", &json!({ "lr": 0.001 })).start();
    let rates = Rates::new(&[0.001; 2], Device::Cpu);
    for _ in 0..600 {
        let mut gradient = arena.values().zeros_like();
        penalty.add_to(&mut gradient, arena.values());
        sgd.step(&mut arena.values().shallow_clone(), &gradient, &rates);
    }
    assert!(values(arena.leaf(0)).iter().all(|weight| weight.abs() <= 0.0011), "a step or less from 0");
    assert_eq!(values(arena.leaf(1)), biases);
}

#[test]
fn folds_are_scikit_learns_rows() {
    let fixture = &golden("splits")["folds"];
    let labels: Vec<i64> = serde_json::from_value(fixture["labels"].clone()).unwrap();
    let folds = fixture["splits"].as_u64().unwrap() as usize;
    let state = Some(fixture["random_state"].as_u64().unwrap() as u32);
    let names = ["KFold", "KFold_unshuffled", "StratifiedKFold", "StratifiedKFold_unshuffled"];
    for case in cases(fixture, &names) {
        let found = match case["name"].as_str().unwrap() {
            "KFold" => k_fold(labels.len(), folds, state),
            "KFold_unshuffled" => k_fold(labels.len(), folds, None),
            "StratifiedKFold" => stratified_k_fold(&labels, folds, state),
            _ => stratified_k_fold(&labels, folds, None),
        };
        let wanted = case["folds"].as_array().unwrap();
        let wanted = wanted.iter().map(|fold| Fold { train: rows(&fold["train"]), test: rows(&fold["test"]) });
        assert_eq!(found.unwrap(), wanted.collect::<Vec<_>>(), "{}", case["name"]);
    }
}

/// A data set in the binary, with these settings.
fn loaded(spec: Value) -> (DataSpec, Loaded) {
    let spec: DataSpec = serde_json::from_value(spec).unwrap();
    let loaded = spec.load(&Cache::at("unused: it is in the binary"), &mut ()).unwrap();
    (spec, loaded)
}

fn doubles(tensor: &Tensor) -> Tensor {
    tensor.to_kind(Kind::Double)
}

#[test]
fn tables_in_the_binary_are_scikit_learns() {
    let fixture = golden("tables");
    for case in fixture["loaded"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (spec, loaded) = loaded(json!({ name: {} }));
        let features = doubles(&loaded.rows.features);
        assert_eq!(json!(features.size()), case["shape"], "{name}");
        assert_eq!(loaded.form.encoding().unwrap().names().join(", "), case["features"], "{name}");
        assert_eq!(spec.card().unwrap().rows as i64, features.size()[0]);
        let sums = features.sum_dim_intlist(0, false, Kind::Double);
        assert_near(&values(&sums), &floats(&case["sums"]), 1e-12, name);
        assert_eq!(values(&features.get(0)), floats(&case["first"]), "{name}");
        assert_eq!(values(&features.get(features.size()[0] - 1)), floats(&case["last"]), "{name}");
        let targets = values(&loaded.rows.targets);
        assert_eq!(targets.iter().sum::<f64>(), case["target_sum"].as_f64().unwrap(), "{name}");
        assert_eq!(targets[..10], floats(&case["target_first"])[..], "{name}");
        assert_eq!(targets[targets.len() - 10..], floats(&case["target_last"])[..], "{name}");
        if matches!(loaded.target, Target::Classes(_)) {
            assert_eq!(json!(loaded.classes), case["classes"]);
        }
    }
}

#[test]
fn scalers_are_scikit_learns_for_constant_columns_too() {
    let fixture = &golden("tables")["scaled"];
    let table = |value: &Value| Tensor::from_slice(&floats(value)).view(&shape_of(value)[..]);
    let (training, others) = (table(&fixture["training"]), table(&fixture["others"]));
    for case in fixture["cases"].as_array().unwrap() {
        let scale: Scale = serde_json::from_value(case["name"].clone()).unwrap();
        let features = Tensor::cat(&[&training, &others], 0);
        let count = training.size()[0] as usize;
        let all = features.size()[0] as usize;
        let loaded = Loaded {
            sha256: String::new(),
            target: Target::Values(1),
            classes: vec!["y".to_owned()],
            rows: Rows { features, targets: Tensor::zeros([all as i64, 1], (Kind::Float, Device::Cpu)) },
            test: None,
            largest: 1.0,
            form: Form::Points,
        };
        let parts = Parts { training: (0..count).collect(), validation: Some((count..all).collect()), test: None };
        let prepared = Prepared::from_parts(&loaded, &parts, scale).unwrap();
        let name = &case["name"].to_string();
        assert_near(&values(&prepared.training.rows().features), &floats(&case["training"]), 1e-7, name);
        let scaled = values(&prepared.validation.unwrap().rows().features);
        assert_near(&scaled, &floats(&case["others"]), 1e-7, name);
        // the scaler alone, on what it was fitted to
        let again = Scaler::fit(scale, &prepared.training, 1.0, None).apply(&prepared.training.rows().features);
        assert_near(&values(&again), &floats(&case["training"]), 1e-6, name);
    }
}

/// Splits and scales as the fixture says, and compares sums and rows of all three parts.
#[track_caller]
fn assert_parts(spec: Value, scale: Scale, case: &Value) {
    let (_, loaded) = loaded(spec);
    let split = Split { test: Some(0.2), validation: Some(0.25), random_state: 42, stratify: true, ..Split::default() };
    let prepared = Prepared::new(&loaded, &split, scale).unwrap();
    let parts = [
        ("train", prepared.training.rows().shallow_clone()),
        ("validation", prepared.validation.unwrap().rows().shallow_clone()),
        ("test", prepared.test.unwrap().open()),
    ];
    for (part, found) in parts {
        let (wanted, what) = (&case[part], format!("{}, {part}", case["name"]));
        let features = doubles(&found.features);
        assert_eq!(found.len() as u64, wanted["rows"].as_u64().unwrap(), "{what}");
        assert_near(&values(&features.get(0)), &floats(&wanted["first"]), 1e-6, &what);
        assert_near(&values(&features.get(found.len() as i64 - 1)), &floats(&wanted["last"]), 1e-6, &what);
        let sums = features.sum_dim_intlist(0, false, Kind::Double);
        assert_near(&values(&sums), &floats(&wanted["sums"]), 1e-4, &what);
    }
}

#[test]
fn scales_are_fitted_to_training_rows_as_scikit_learn_fits_them() {
    let fixture = golden("tables");
    for case in fixture["breast_cancer"].as_array().unwrap() {
        let scale = serde_json::from_value(case["name"].clone()).unwrap();
        assert_parts(json!({ "breast_cancer": {} }), scale, case);
    }
    assert_parts(json!({ "digits": {} }), Scale::Standard, &fixture["digits"]);
}

#[test]
fn penguins_are_filled_in_encoded_and_scaled_as_scikit_learn_does() {
    let fixture = &golden("tables")["penguins"];
    for case in fixture["cases"].as_array().unwrap() {
        let spec = json!({ "penguins": { "missing": case["missing"], "encode": case["encode"] } });
        assert_parts(spec, Scale::Standard, case);
    }
    let table = DataSpec::by_name("penguins").unwrap().table().unwrap();
    assert_eq!(table.duplicate_rows() as u64, fixture["duplicates"].as_u64().unwrap());
    for (name, count) in fixture["missing"].as_object().unwrap() {
        let values = &table.column(name).unwrap().values;
        let missing = (0..values.len()).filter(|&row| values.is_missing(row)).count();
        assert_eq!(missing as u64, count.as_u64().unwrap(), "{name}");
    }
}

#[test]
fn the_labels_of_digits_are_numpys() {
    let fixture = &golden("tables")["digits_labels"];
    let names: Vec<&String> = fixture.as_object().unwrap().keys().collect();
    let (_, loaded) = loaded(json!({ "digits": { "labels": names } }));
    assert_eq!(loaded.target, Target::Labels(4));
    for (number, name) in names.iter().enumerate() {
        let labels = values(&loaded.rows.targets.select(1, number as i64));
        assert_eq!(labels.iter().sum::<f64>(), fixture[*name]["sum"].as_f64().unwrap(), "{name}");
        assert_eq!(labels[..20], floats(&fixture[*name]["first"])[..], "{name}");
    }
}
