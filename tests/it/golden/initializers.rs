//! Random numbers: initial weights and the shuffled order of rows.

use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::Architecture;
use runner::tensor::seed;
use runner::tensor::shape::Shape;
use serde_json::{Value, json};
use tch::Device;

use super::fixture::{GENERATOR, assert_near, floats, load_fixture, rows, values};

#[test]
fn initial_weights_of_linear_layers_equal_pytorch() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let fixture = load_fixture("init");
    let linear = |units: u64| serde_json::from_value::<Layer>(json!({ "linear": { "units": units } })).unwrap();
    let layers = [linear(4), linear(3)];
    let stack =
        Architecture::follow(&layers, Init::Pytorch, &Shape::from([5])).unwrap().build(&[42], Device::Cpu).unwrap();
    for (number, sampled) in fixture["linear"].as_array().unwrap().iter().enumerate() {
        assert_near(&values(stack.arena().leaf(2 * number)), &floats(&sampled["weight"]), 1e-7, "weight");
        assert_near(&values(stack.arena().leaf(2 * number + 1)), &floats(&sampled["bias"]), 1e-7, "bias");
    }
}

#[test]
fn every_initializer_equals_pytorch() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let fixture = load_fixture("init");
    let sampled = |layer: Value, input: Shape, init: Init| {
        let layer = serde_json::from_value::<Layer>(layer).unwrap();
        Architecture::follow(&[layer], init, &input).unwrap().build(&[42], Device::Cpu).unwrap()
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
            _ => panic!("weights have two or four dimensions"),
        };
        let stack = sampled(layer, input, Init::Zeros);
        assert_near(&values(stack.arena().leaf(0)), &floats(&scheme["values"]), 1e-7, &scheme.to_string());
        assert_eq!(values(&stack.arena().leaf(1).abs().max()), [0.0], "biases start at 0");
    }
    let stack =
        sampled(json!({ "conv2d": { "channels": 3, "kernel": [2, 3] } }), Shape::from([2, 4, 4]), Init::Pytorch);
    assert_near(&values(stack.arena().leaf(0)), &floats(&fixture["conv2d"]["weight"]), 1e-7, "conv2d weight");
    assert_near(&values(stack.arena().leaf(1)), &floats(&fixture["conv2d"]["bias"]), 1e-7, "conv2d bias");

    for case in fixture["layers"].as_array().unwrap() {
        let name = case["settings"].to_string();
        let layers = case["settings"].as_array().unwrap().iter().map(|layer| match layer {
            Value::String(name) => json!({ name: {} }),
            layer => layer.clone(),
        });
        let layers: Vec<Layer> = layers.map(|layer| serde_json::from_value(layer).unwrap()).collect();
        let input: Vec<i64> = serde_json::from_value(case["input"].clone()).unwrap();
        let input = Shape::from(&input[..]);
        let network = Architecture::follow(&layers, Init::Pytorch, &input).unwrap();
        let stack = network.build(&[42], Device::Cpu).unwrap();
        assert_eq!(stack.arena().slots().len(), case["parameters"].as_object().unwrap().len(), "{name}");
        for (number, slot) in stack.arena().slots().iter().enumerate() {
            let in_pytorch = if layers.len() > 1 { &slot.name } else { slot.name.strip_prefix("0.").unwrap() };
            let expected = floats(&case["parameters"][in_pytorch]);
            assert_near(&values(stack.arena().leaf(number)), &expected, 1e-7, &format!("{name}, {in_pytorch}"));
        }
    }
}

#[test]
fn shuffled_row_order_equals_pytorch() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for case in load_fixture("init")["randperm"].as_array().unwrap() {
        let expected = rows(&case["order"]);
        let (seed, epoch) = (case["seed"].as_i64().unwrap(), case["epoch"].as_u64().unwrap());
        let order = seed::before_epoch(&[seed], epoch as usize, expected.len(), true).unwrap();
        let found: Vec<i64> = Vec::try_from(order.flatten(0, -1)).unwrap();
        assert_eq!(found.iter().map(|&row| row as usize).collect::<Vec<_>>(), expected);
    }
}
