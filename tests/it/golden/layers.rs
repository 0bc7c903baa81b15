//! Layers: outputs and gradients of each replica, and of stacks compared with single networks.

use std::collections::BTreeSet;

use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::{Architecture, Stack};
use runner::tensor::generators::{install_until_drop, with_replica};
use runner::tensor::shape::Shape;
use runner::train::optimizer::Optimizer;
use runner::train::per_replica::PerReplica;
use serde_json::{Value, json};
use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use super::fixture::{GENERATOR, assert_near, floats, load_fixture, parse_layers, shape_of, tensor, values};

#[test]
fn every_layer_equals_pytorch_in_each_replica() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let fixture = load_fixture("layers");
    for case in fixture["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let layer = layer(&case["settings"]);
        let shape = Shape::from(&shape_of(&case["calls"][0]["input"])[1..]);
        assert_eq!(layer.spec().multiply_adds(&shape), case["multiply_adds"].as_u64(), "{name}: multiply-adds");
        let stack = stack_of_two(&[layer], &shape, |name| &case["parameters"][name.strip_prefix("0.").unwrap()]);
        for (number, call) in case["calls"].as_array().unwrap().iter().enumerate() {
            let input = tensor(&call["input"]);
            let input = Tensor::stack(&[&input, &input], 0).set_requires_grad(true); // [2, batch, …]
            let output = stack.forward_t(&input, call["training"].as_bool().unwrap());
            let upstream = tensor(&call["upstream"]);
            let loss = (&output * upstream.unsqueeze(0)).sum(None);
            let has_input_gradient = !call["input_gradient"].is_null();
            let mut expected_from: Vec<&Tensor> = has_input_gradient.then_some(&input).into_iter().collect();
            expected_from.extend((0..stack.arena().slots().len()).map(|slot| stack.arena().leaf(slot)));
            let gradients = Tensor::run_backward(&[&loss], &expected_from, true, false);
            for replica in 0..2 {
                let what = format!("{name}, call {number}, replica {replica}");
                assert_eq!(output.get(replica).size(), shape_of(&call["output"]), "{what}");
                assert_near(&values(&output.get(replica)), &floats(&call["output"]), 1e-6, &what);
                let mut gradients = gradients.iter();
                if has_input_gradient {
                    let gradient = gradients.next().unwrap().get(replica);
                    let expected = floats(&call["input_gradient"]);
                    assert_near(&values(&gradient), &expected, 1e-6, &format!("{what}, input"));
                }
                for (slot, gradient) in stack.arena().slots().iter().zip(gradients) {
                    let expected = &call["parameter_gradients"][slot.name.strip_prefix("0.").unwrap()];
                    assert_near(
                        &values(&gradient.get(replica)),
                        &floats(expected),
                        1e-5,
                        &format!("{what}, {}", slot.name),
                    );
                }
                let buffers = call["buffers_after"].as_object().into_iter().flatten();
                assert_eq!(stack.arena().buffers().len(), buffers.clone().count(), "{what}");
                for (buffer, (name, expected)) in stack.arena().buffers().iter().zip(buffers) {
                    assert_eq!(buffer.name, format!("0.{name}"));
                    assert_near(
                        &values(&buffer.values.get(replica)),
                        &floats(expected),
                        1e-6,
                        &format!("{what}, {name}"),
                    );
                }
            }
        }
    }
}

/// The layer of these settings, or of this name.
fn layer(settings: &Value) -> Layer {
    serde_json::from_value(settings.clone())
        .or_else(|_| serde_json::from_value(json!({ settings.as_str().unwrap(): {} })))
        .unwrap()
}

/// A stack of two replicas with the same parameters.
fn stack_of_two<'a>(layers: &[Layer], input: &Shape, parameter: impl Fn(&str) -> &'a Value) -> Stack {
    let stack = Architecture::follow(layers, Init::Pytorch, input).unwrap().build(&[0, 1], Device::Cpu).unwrap();
    let _no_grad = tch::no_grad_guard();
    for slot in stack.arena().slots() {
        slot.view(stack.arena().values()).copy_(&tensor(parameter(&slot.name)).unsqueeze(0));
    }
    stack
}

#[test]
fn every_layer_trains_like_pytorch_for_two_steps() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let fixture = load_fixture("layers");
    let sgd = &fixture["settings"]["sgd"];
    let rates = PerReplica::new(&[sgd["lr"].as_f64().unwrap(); 2], Device::Cpu);
    let optimizer: Optimizer = serde_json::from_value(json!({ "sgd": sgd })).unwrap();
    let mut trained = BTreeSet::new();
    for case in fixture["cases"].as_array().unwrap() {
        let training = &case["training"];
        let layers: Vec<Layer> = training["layers"].as_array().unwrap().iter().map(layer).collect();
        trained.insert(layers.last().unwrap().kind().to_owned());
        let input = tensor(&training["input"]);
        let stack = stack_of_two(&layers, &Shape::from(&input.size()[1..]), |name| &training["before"][name]);
        let input = Tensor::stack(&[&input, &input], 0);
        let mut rule = optimizer.start(Device::Cpu);
        for _ in 0..2 {
            let losses = stack.forward_t(&input, true).square().flatten(1, -1).mean_dim(1, false, Kind::Float);
            let gradient = stack.arena().gradient(&losses.sum(None));
            let _no_grad = tch::no_grad_guard();
            rule.step(&mut stack.arena().values().shallow_clone(), &gradient, &rates);
        }
        let after = training["after"].as_object().unwrap();
        for replica in 0..2 {
            let buffers = stack.arena().buffers().iter();
            let buffers = buffers.map(|buffer| (buffer.name.clone(), buffer.values.get(replica)));
            let named: Vec<(String, Tensor)> =
                stack.arena().named_parameters(replica as usize).into_iter().chain(buffers).collect();
            assert_eq!(named.len(), after.len(), "{}", case["name"]);
            for (name, found) in named {
                let what = format!("{}, replica {replica}, {name}", case["name"]);
                assert_near(&values(&found), &floats(&after[&name]), 1e-6, &what);
            }
        }
    }
    // no layer is left out
    let schema = schemars::schema_for!(Layer).to_value();
    let mut kinds = BTreeSet::new();
    for variant in schema["oneOf"].as_array().unwrap() {
        kinds.extend(variant["properties"].as_object().into_iter().flat_map(|key| key.keys().cloned()));
        kinds.extend(
            variant["enum"]
                .as_array()
                .into_iter()
                .flatten()
                .chain([&variant["const"]])
                .filter_map(|name| name.as_str().map(str::to_owned)),
        );
    }
    kinds.remove("torchscript");
    assert_eq!(trained, kinds, "a case for every layer");
}

#[test]
fn random_masks_are_those_of_pytorch_in_each_replica() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let _generators = install_until_drop(2, Device::Cpu);
    for case in load_fixture("init")["masks"].as_array().unwrap() {
        let input = tensor(&case["input"]);
        let network =
            Architecture::follow(&[layer(&case["settings"])], Init::Pytorch, &Shape::from(&input.size()[1..]));
        let stack = network.unwrap().build(&[42, 42], Device::Cpu).unwrap();
        for (replica, seed) in [7, 42].into_iter().enumerate() {
            with_replica(replica, || tch::manual_seed(seed));
        }
        let output = stack.forward_t(&Tensor::stack(&[&input, &input], 0), true);
        assert_near(&values(&output.get(1)), &floats(&case["output"]), 1e-6, &case["settings"].to_string());
        assert_ne!(output.get(0), output.get(1), "the other replica has another seed");
    }
}

#[test]
fn stacked_networks_equal_single_networks() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let conv2d = json!({ "conv2d": { "channels": 4, "kernel": 3, "padding": 1 } });
    let following_layers = [
        json!({ "conv2d": { "channels": 3, "kernel": [2, 1], "stride": [2, 1], "bias": false } }),
        json!({ "batch_norm": {} }),
        json!({ "layer_norm": {} }),
        json!({ "max_pool2d": 2 }),
        json!({ "avg_pool2d": { "kernel": 2, "stride": 1 } }),
        json!("flatten"),
    ];
    for layer in &following_layers {
        assert_stack_equals_single_networks(&json!([conv2d, layer]), 1e-6);
    }
    for layer in [
        json!({ "conv_transpose2d": { "channels": 3, "kernel": 2, "stride": 2 } }),
        json!({ "group_norm": { "groups": 2 } }),
        json!({ "instance_norm": { "affine": true, "track_running_stats": true } }),
        json!({ "rms_norm": {} }),
        json!({ "adaptive_avg_pool2d": 3 }),
    ] {
        assert_stack_equals_single_networks(&json!([conv2d, layer]), 1e-6);
    }
    let signal = json!({ "reshape": [4, 64] });
    for layers in [
        json!([conv2d, signal, { "conv1d": { "channels": 3, "kernel": 2 } }, { "max_pool1d": 2 }]),
        json!([conv2d, signal, { "permute": [2, 1] }, { "positional_encoding": { "learned": true } }]),
        json!([conv2d, signal, { "transformer_encoder": { "heads": 4, "feedforward": 5, "layers": 2, "dropout": 0 } }]),
    ] {
        assert_stack_equals_single_networks(&layers, 1e-6);
    }
    // Repeated normalization of a few rows amplifies rounding errors.
    let [strided, batch_norm, layer_norm, max_pool, avg_pool, flatten] = &following_layers;
    let linear = json!({ "linear": { "units": 5 } });
    let all_layers =
        json!([conv2d, batch_norm, "relu", max_pool, strided, layer_norm, avg_pool, flatten, batch_norm, linear]);
    assert_stack_equals_single_networks(&all_layers, 1e-5);
}

/// Runs a stack of three networks and the three single networks, twice in training mode and once in evaluation mode.
#[track_caller]
fn assert_stack_equals_single_networks(layers: &Value, tolerance: f64) {
    let layers = parse_layers(layers);
    let network = Architecture::follow(&layers, Init::Pytorch, &Shape::from([2, 8, 8])).unwrap();
    let seeds = [1, 2, 3];
    let images = Tensor::arange(3 * 6 * 2 * 8 * 8, (Kind::Float, Device::Cpu)).sin().view([3, 6, 2, 8, 8]);
    let stack = network.build(&seeds, Device::Cpu).unwrap();
    let single = seeds.map(|seed| network.build(&[seed], Device::Cpu).unwrap());
    for train in [true, true, false] {
        let outputs = stack.forward_t(&images, train); // [3, 6, …]
        let gradient = stack.arena().gradient(&outputs.square().mean(None));
        for (replica, single) in single.iter().enumerate() {
            let what = format!("replica {replica}, training {train}, {}", layers.last().unwrap().kind());
            let output = single.forward_t(&images.narrow(0, replica as i64, 1), train);
            let single_gradient = single.arena().gradient(&(output.square().mean(None) / 3.0));
            let replica = replica as i64;
            assert_near(&values(&outputs.get(replica)), &values(&output), tolerance, &what);
            assert_near(&values(&gradient.get(replica)), &values(&single_gradient), tolerance, &what);
            for (found, expected) in stack.arena().buffers().iter().zip(single.arena().buffers()) {
                assert_near(&values(&found.values.get(replica)), &values(&expected.values), tolerance, &found.name);
            }
        }
    }
    let outputs = stack.forward_t(&images, false);
    assert!((outputs.get(0) - outputs.get(1)).abs().max().double_value(&[]) > 0.1, "replicas differ");
}

#[test]
fn gradients_of_stacked_convolutions_equal_finite_differences() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let conv2d = json!({ "conv2d": { "channels": 2, "kernel": [3, 2], "stride": 2, "padding": 1 } });
    let layers = [serde_json::from_value::<Layer>(conv2d).unwrap()];
    let stack = Architecture::follow(&layers, Init::Pytorch, &Shape::from([2, 5, 5])).unwrap();
    let stack = stack.build(&[4, 5], Device::Cpu).unwrap();
    let images = Tensor::arange(2 * 3 * 2 * 5 * 5, (Kind::Float, Device::Cpu)).sin().view([2, 3, 2, 5, 5]);
    let loss = || stack.forward_t(&images, true).square().sum(Kind::Double);
    let gradient = stack.arena().gradient(&loss()); // [2, parameters]
    let _no_grad = tch::no_grad_guard();
    for replica in 0..2 {
        for parameter in 0..stack.arena().values().size()[1] {
            let mut value = stack.arena().values().get(replica).get(parameter);
            // The loss is quadratic in each parameter, so the central difference is exact for every step size.
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
