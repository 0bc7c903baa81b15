//! Optimizers, learning-rate schedules and penalties, step by step.

use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::Architecture;
use runner::tensor::shape::Shape;
use runner::train::optimizer::Optimizer;
use runner::train::per_replica::PerReplica;
use runner::train::regularize::penalty::Penalty;
use runner::train::schedule::Schedule;
use runner::train::schedule::learning_rates::LearningRates;
use runner::train::schedule::step_position::Length;
use serde_json::{Value, json};
use tch::nn::{OptimizerConfig, VarStore};
use tch::{Device, TchError, Tensor};

use super::fixture::{GENERATOR, assert_near, cases, floats, load_fixture, tensor, values};

#[test]
fn every_optimizer_equals_pytorch_in_each_replica() {
    let fixture = load_fixture("optimizers");
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
        let mut rule = optimizer.start(Device::Cpu);
        let rates = PerReplica::new(&[optimizer.lr(); 2], Device::Cpu);
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

/// Parameters before the first step.
const START: [f32; 3] = [0.5, -1.2, 3.0];

#[test]
fn every_optimizer_equals_the_one_of_tch() {
    let lr = 0.01;
    let store_and = |build: &dyn Fn(&VarStore) -> Result<tch::nn::Optimizer, TchError>| {
        let store = VarStore::new(Device::Cpu);
        let parameters = store.root().var_copy("parameters", &Tensor::from_slice(&START));
        (parameters, build(&store).unwrap())
    };
    let pairs = [
        (
            optimizer("sgd", &json!({ "lr": lr, "momentum": 0.9, "weight_decay": 0.01 })),
            store_and(&|store| tch::nn::sgd(0.9, 0.0, 0.01, false).build(store, lr)),
        ),
        (
            optimizer("rmsprop", &json!({ "lr": lr, "momentum": 0.9 })),
            store_and(&|store| tch::nn::rms_prop(0.99, 1e-8, 0.0, 0.9, false).build(store, lr)),
        ),
        (
            optimizer("adam", &json!({ "lr": lr, "weight_decay": 0.01 })),
            store_and(&|store| tch::nn::adam(0.9, 0.999, 0.01).build(store, lr)),
        ),
        (
            optimizer("adamw", &json!({ "lr": lr, "weight_decay": 0.1 })),
            store_and(&|store| tch::nn::adamw(0.9, 0.999, 0.1).build(store, lr)),
        ),
    ];
    for (ours, (parameters, mut theirs)) in pairs {
        let mut arena = Tensor::from_slice(&START).unsqueeze(0);
        let mut rule = ours.start(Device::Cpu);
        let rates = PerReplica::new(&[lr], Device::Cpu);
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
fn every_schedule_equals_pytorch() {
    let fixture = load_fixture("schedules");
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let schedule: Schedule = serde_json::from_value(case["schedule"].clone()).unwrap();
        let [epochs, steps] = ["epochs", "steps"].map(|key| case[key].as_u64().unwrap() as usize);
        let metric = &case["metric"];
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let monitored: Vec<f64> =
            metric["values"].as_array().map(|all| all.iter().map(number).collect()).unwrap_or_default();
        let start = fixture["settings"]["lr"].as_f64().unwrap();
        let higher_is_better = |_: &str| metric["mode"] == json!("max");
        let length = Length { epochs, steps };
        let mut learning_rates =
            LearningRates::new(vec![schedule; 2], vec![start; 2], length, Device::Cpu, "val_loss", higher_is_better);
        let mut found = [Vec::new(), Vec::new()];
        for epoch in 1..=epochs {
            for step in 0..steps {
                learning_rates.rates(epoch, step);
                found.iter_mut().zip(learning_rates.lrs()).for_each(|(found, lr)| found.push(*lr));
            }
            if let Some(&value) = monitored.get(epoch - 1) {
                learning_rates.observe(epoch, &[("val_loss".to_owned(), vec![value; 2])]);
            }
        }
        for found in found {
            assert_near(&found, &floats(&case["lr"]), 1e-10, case["name"].as_str().unwrap());
        }
    }
}

#[test]
fn penalties_are_computed_for_each_replica() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let linear = |units: u64| serde_json::from_value::<Layer>(json!({ "linear": { "units": units } })).unwrap();
    let layers = [linear(3), linear(2)];
    let stack =
        Architecture::follow(&layers, Init::Pytorch, &Shape::from([4])).unwrap().build(&[0, 1], Device::Cpu).unwrap();
    let arena = stack.arena();
    let of_slot = |slot: usize| {
        let (leaf, name) = (arena.leaf(slot), &arena.slots()[slot].name);
        let factor = if name.ends_with("weight") { 1.0 } else { 0.0 };
        (leaf.abs().sum(None) * 0.1 + leaf.square().sum(None) * 0.2) * factor
    };
    let penalty: Tensor = (0..arena.slots().len()).map(of_slot).sum();
    let expected = arena.gradient(&penalty);
    let _no_grad = tch::no_grad_guard();
    let mut found = expected.zeros_like();
    Penalty::on(&[Penalty { l1: 0.1, l2: 0.2 }], arena).unwrap().add_to(&mut found, arena.values());
    assert_near(&values(&found), &values(&expected), 1e-6, "the penalty's gradient");
    assert_eq!(found.size()[0], 2);
}

#[test]
fn l1_penalty_drives_weights_but_not_biases_to_zero() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let layer = serde_json::from_value::<Layer>(json!({ "linear": { "units": 3 } })).unwrap();
    let stack =
        Architecture::follow(&[layer], Init::Pytorch, &Shape::from([4])).unwrap().build(&[0, 1], Device::Cpu).unwrap();
    let arena = stack.arena();
    let _no_grad = tch::no_grad_guard();
    let biases = values(arena.leaf(1));
    let penalty = Penalty::on(&[Penalty { l1: 1.0, l2: 0.0 }], arena).unwrap();
    let mut sgd = optimizer("sgd", &json!({ "lr": 0.001 })).start(Device::Cpu);
    let rates = PerReplica::new(&[0.001; 2], Device::Cpu);
    for _ in 0..600 {
        let mut gradient = arena.values().zeros_like();
        penalty.add_to(&mut gradient, arena.values());
        sgd.step(&mut arena.values().shallow_clone(), &gradient, &rates);
    }
    assert!(values(arena.leaf(0)).iter().all(|weight| weight.abs() <= 0.0011), "more than one step from 0");
    assert_eq!(values(arena.leaf(1)), biases);
}

/// The optimizer for a fixture's options. Options that only PyTorch has must be off.
fn optimizer(kind: &str, options: &Value) -> Optimizer {
    let mut options = options.clone();
    let dampening = options.as_object_mut().unwrap().remove("dampening");
    assert!(dampening.is_none_or(|value| value == json!(0)));
    serde_json::from_value(json!({ kind: options })).unwrap()
}
