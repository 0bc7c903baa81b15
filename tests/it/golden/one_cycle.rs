//! `one_cycle` with its momentum, compared with PyTorch's `OneCycleLR`.

use runner::train::TrainSpec;
use runner::train::per_replica::PerReplica;
use runner::train::schedule::learning_rates::LearningRates;
use runner::train::schedule::step_position::Length;
use serde_json::json;
use tch::{Device, Tensor};

use super::fixture::{assert_curve, assert_near, cases, floats, load_fixture, tensor, values};
use super::runs::{digits_experiment, to_toml};
use crate::support::TestDir;

#[test]
fn one_cycle_equals_pytorch() {
    let fixture = load_fixture("one_cycle");
    let names = [
        "sgd",
        "sgd_without_momentum",
        "sgd_nesterov",
        "sgd_down_to_0",
        "sgd_not_cycled",
        "rmsprop",
        "rmsprop_down_to_0",
        "adam",
        "adam_options",
        "adam_not_cycled",
        "adamw",
    ];
    assert_eq!(names.len(), fixture["cases"].as_array().unwrap().len());
    let [epochs, steps] = ["epochs", "steps"].map(|key| fixture["settings"][key].as_u64().unwrap() as usize);
    for case in cases(&fixture, &names) {
        let name = case["name"].as_str().unwrap();
        let train = json!({
            "epochs": epochs, "batch": 1, "loss": "mse", "optimizer": case["optimizer"], "schedule": case["schedule"],
        });
        let mut train: TrainSpec = serde_json::from_value(train).unwrap();
        train.resolve();
        let mut update = train.starting_optimizer().start(Device::Cpu);
        let lr = train.optimizer.lr();
        let length = Length { epochs, steps };
        let mut learning_rates =
            LearningRates::new(vec![train.schedule.clone(); 2], vec![lr; 2], length, Device::Cpu, "loss", |_| false);
        let start = tensor(&fixture["settings"]["start"]);
        let mut parameters = Tensor::stack(&[&start, &start], 0); // [2, parameters]
        let momentum = floats(&case["momentum"]);
        for (number, gradient) in fixture["gradients"].as_array().unwrap().iter().enumerate() {
            let settings = learning_rates.step(1 + number / steps, number % steps);
            let what = format!("{name}, step {number}");
            assert_near(&settings.lrs, &[floats(&case["lr"])[number]; 2], 1e-12, &what);
            for found in &settings.momenta {
                match found {
                    Some(found) => assert_near(&[*found], &momentum[number..=number], 1e-12, &what),
                    None => assert!(name.ends_with("not_cycled"), "{what}"),
                }
            }
            update.set_momenta(&settings.momenta);
            let gradient = tensor(gradient);
            update.step(
                &mut parameters,
                &Tensor::stack(&[&gradient, &gradient], 0),
                &PerReplica::new(&settings.lrs, Device::Cpu),
            );
            for replica in 0..2 {
                assert_near(&values(&parameters.get(replica)), &floats(&case["after"][number]), 1e-5, &what);
            }
        }
    }
}

#[test]
fn one_cycle_training_equals_pytorch_in_both_backends() {
    let fixture = load_fixture("one_cycle");
    let runs = fixture["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for run in runs {
        let settings = run["train"].as_object().unwrap().iter();
        let train: Vec<String> = settings.map(|(key, value)| format!("{key} = {}", to_toml(value))).collect();
        let dir = TestDir::new();
        let history = dir.history(&[&digits_experiment(&dir, "{}", "[0]", 4, &train.join("\n"))]);
        assert_curve(&history, &run["history"], "loss", 4, 2e-5);
        let schedule = &history["config"]["train"]["schedule"]["one_cycle"];
        let stated = ["cycle_momentum", "base_momentum", "max_momentum"].map(|key| schedule[key].clone());
        assert_eq!(stated, [json!(true), json!(0.85), json!(0.95)], "the history records the momentum settings");
    }
}
