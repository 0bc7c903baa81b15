//! Held against PyTorch and scikit-learn: the figures in `tests/golden/*.json`, made by the scripts beside them.

use std::path::Path;
use std::sync::Mutex;

use runner::data::cache::Cache;
use runner::data::folds::{Fold, k_fold, stratified_k_fold};
use runner::data::numpy_random::RandomState;
use runner::data::scale::{Scale, Scaler};
use runner::data::source::DataSpec;
use runner::data::split::{Parts, Split, train_test_split, train_test_split_stratified};
use runner::data::{Loaded, Prepared, Rows, Target};
use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::{Architecture, Stack};
use runner::seed;
use runner::shape::Shape;
use runner::train::loss::Loss;
use runner::train::optimizer::{Optimizer, rates::Rates};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tch::nn::{ModuleT, OptimizerConfig};
use tch::{Device, Kind, Tensor};

/// A folder to run the program in.
struct Place {
    folder: tempfile::TempDir,
    users_data: bool,
}

impl Place {
    fn new() -> Self {
        Place { folder: tempfile::tempdir().unwrap(), users_data: false }
    }

    /// With the data sets that the user has, or can fetch.
    fn with_users_data() -> Self {
        Place { users_data: true, ..Place::new() }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs the program, and returns the history of its one trial.
    #[track_caller]
    fn history(&self, arguments: &[&str]) -> Value {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(self.folder.path()).args(arguments).args(["--json", "--device", "cpu"]);
        if !self.users_data {
            command.env("RUNNER_DATA_DIR", self.folder.path().join("data"));
        }
        let output = command.assert().success().get_output().stdout.clone();
        let printed: Value = serde_json::from_slice(&output).unwrap();
        printed["histories"][0].clone()
    }
}

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
    let history = Place::new().history(&["exp", "digits_mlp", "--seed", "0"]);
    let golden = golden("digits_mlp");
    assert_curve(&history, &golden["history"], "loss", 100, 1e-5);
    assert_curve(&history, &golden["history"], "acc", 100, 1e-3);
}

#[test]
fn mlp_xor_is_pytorchs_run_with_both_seeds() {
    let golden = golden("mlp_xor");
    for run in golden["runs"].as_array().unwrap() {
        let seed = run["seed"].to_string();
        let history = Place::new().history(&["exp", "mlp_xor", "--seed", &seed]);
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
    let history = Place::new().history(&["exp", "perceptron_or", "--seed", "0"]);
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
    let history = place.history(&["exp", &file]);
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
    let history = Place::with_users_data().history(&["exp", "overfit_mnist", "--epochs", "2", "--seed", "0"]);
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
        ("sigmoid", json!("sigmoid")),
        ("tanh", json!("tanh")),
        ("softmax", json!("softmax")),
        ("flatten", json!("flatten")),
    ];
    let fixture = golden("layers");
    for (name, layer) in layers {
        let case = cases(&fixture, &[name])[0];
        for call in case["calls"].as_array().unwrap() {
            let stack = stack_of_two(layer.clone(), &call["input"], &case["parameters"]);
            let input = tensor(&call["input"]);
            let input = Tensor::stack(&[&input, &input], 0).set_requires_grad(true); // [2, batch, …]
            let output = stack.forward_t(&input, true);
            let upstream = tensor(&call["upstream"]);
            let loss = (&output * upstream.unsqueeze(0)).sum(None);
            let mut wanted_from: Vec<&Tensor> = vec![&input];
            wanted_from.extend((0..stack.arena().slots().len()).map(|slot| stack.arena().leaf(slot)));
            let gradients = Tensor::run_backward(&[&loss], &wanted_from, true, false);
            for replica in 0..2 {
                let what = format!("{name}, replica {replica}");
                assert_near(&values(&output.get(replica)), &floats(&call["output"]), 1e-6, &what);
                assert_near(&values(&gradients[0].get(replica)), &floats(&call["input_gradient"]), 1e-6, &what);
                for (slot, gradient) in stack.arena().slots().iter().zip(&gradients[1..]) {
                    let wanted = &call["parameter_gradients"][slot.name.trim_start_matches("0.")];
                    assert_near(&values(&gradient.get(replica)), &floats(wanted), 1e-5, &what);
                }
            }
        }
    }
}

#[test]
fn every_loss_has_pytorchs_value_and_gradient_for_logits_of_200_too() {
    let losses = [
        ("mse", Loss::Mse),
        ("bce", Loss::Bce),
        ("bce_with_logits", Loss::BceWithLogits),
        ("cross_entropy", Loss::CrossEntropy),
    ];
    let fixture = golden("losses");
    for (name, loss) in losses {
        let case = cases(&fixture, &[name])[0];
        let as_batch = |value: &Value| match shape_of(value)[..] {
            [rows] => tensor(value).view([1, rows, 1]),
            _ => tensor(value).unsqueeze(0),
        };
        let targets = match loss {
            Loss::CrossEntropy => tensor(&case["target"]).to_kind(Kind::Int64).unsqueeze(0),
            _ => as_batch(&case["target"]),
        };
        for replicas in [1, 3] {
            let each = |tensor: &Tensor| Tensor::cat(&vec![tensor; replicas], 0);
            let outputs = each(&as_batch(&case["input"])).set_requires_grad(true); // [replicas, rows, outputs]
            let found = loss.of_each_replica(&outputs, &each(&targets));
            let gradient = Tensor::run_backward(&[found.sum(None)], &[&outputs], false, false).remove(0);
            assert_near(&values(&found), &vec![case["value"].as_f64().unwrap(); replicas], 1e-6, name);
            for replica in 0..replicas as i64 {
                assert_near(&values(&gradient.get(replica)), &floats(&case["gradient"]), 1e-6, name);
            }
        }
    }
}

/// The optimizer of a fixture's options; what PyTorch has and we have not must be switched off in them.
fn optimizer(kind: &str, options: &Value) -> Optimizer {
    let mut options = options.clone();
    for unknown in ["dampening", "amsgrad"] {
        let off = options.as_object_mut().unwrap().remove(unknown);
        assert!(off.is_none_or(|value| value == json!(0) || value == json!(false)));
    }
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
    ];
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
    ];
    for ours in ours {
        let store = tch::nn::VarStore::new(Device::Cpu);
        let start = Tensor::from_slice(&[0.5_f32, -1.2, 3.0]);
        let parameters = store.root().var_copy("parameters", &start);
        let mut theirs = match &ours {
            Optimizer::Sgd(_) => tch::nn::sgd(0.9, 0.0, 0.01, false).build(&store, lr),
            Optimizer::Rmsprop(_) => tch::nn::rms_prop(0.99, 1e-8, 0.0, 0.9, false).build(&store, lr),
            Optimizer::Adam(_) => tch::nn::adam(0.9, 0.999, 0.01).build(&store, lr),
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
        assert_eq!(loaded.encoding.as_ref().unwrap().names().join(", "), case["features"], "{name}");
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
            encoding: None,
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
    let split = Split { test: Some(0.2), validation: Some(0.25), random_state: 42, stratify: true };
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
