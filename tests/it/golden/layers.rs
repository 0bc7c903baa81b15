//! Layers: outputs and gradients of each replica, and of stacks compared with single networks.

use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::{Architecture, Stack};
use runner::tensor::shape::Shape;
use serde_json::{Value, json};
use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use super::fixture::{GENERATOR, assert_near, cases, floats, load_fixture, shape_of, tensor, values};

#[test]
fn every_layer_equals_pytorch_in_each_replica() {
    let _lock = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
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
        ("silu", json!("silu")),
        ("mish", json!("mish")),
        ("hardswish", json!("hardswish")),
        ("selu", json!("selu")),
        ("prelu", json!({ "prelu": {} })),
        ("log_softmax", json!("log_softmax")),
        ("global_avg_pool", json!("global_avg_pool")),
        ("reshape", json!({ "reshape": [2, 3] })),
        ("linear_of_sequence", json!({ "linear": 3 })),
        ("layer_norm_of_sequence", json!({ "layer_norm": {} })),
        ("mean_over_time", json!("mean_over_time")),
        ("embedding", json!({ "embedding": { "tokens": 5, "units": 3 } })),
        ("rnn", json!({ "rnn": 3 })),
        ("rnn_relu", json!({ "rnn": { "units": 3, "nonlinearity": "relu", "bias": false, "returns": "sequence" } })),
        ("lstm", json!({ "lstm": 3 })),
        ("lstm_deep", json!({ "lstm": { "units": 3, "layers": 2, "bidirectional": true, "returns": "sequence" } })),
        ("gru", json!({ "gru": { "units": 3, "layers": 2, "bidirectional": true } })),
        ("multi_head_attention", json!({ "multi_head_attention": 2 })),
        ("attention_without_bias", json!({ "multi_head_attention": { "heads": 1, "bias": false } })),
        ("residual", json!({ "residual": [{ "linear": 3 }, "tanh"] })),
        (
            "residual_projection",
            json!({ "residual": {
                "layers": [
                    { "conv2d": { "channels": 3, "kernel": 3, "stride": 2, "padding": 1 } }, { "batch_norm": {} }
                ],
                "projection": [{ "conv2d": { "channels": 3, "kernel": 1, "stride": 2, "bias": false } }],
            } }),
        ),
        ("repeat", json!({ "repeat": { "times": 2, "layers": [{ "linear": 3 }, "tanh"] } })),
        (
            "parallel_images",
            json!({ "parallel": { "branches": [
                [{ "conv2d": { "channels": 2, "kernel": 1 } }],
                [{ "conv2d": { "channels": 3, "kernel": 3, "padding": 1 } }, "relu"],
            ] } }),
        ),
        ("parallel_sequences", json!({ "parallel": { "branches": [[{ "linear": 3 }], []] } })),
        (
            "parallel_sum",
            json!({ "parallel": { "branches": [[{ "linear": 2 }], [{ "linear": 2 }, "sigmoid"]], "join": "add" } }),
        ),
    ];
    let fixture = load_fixture("layers");
    assert_eq!(fixture["cases"].as_array().unwrap().len(), layers.len(), "a case for every layer");
    for (name, layer) in layers {
        let case = cases(&fixture, &[name])[0];
        let stack = stack_of_two(layer, &case["calls"][0]["input"], &case["parameters"]);
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

/// A stack of two replicas with the same parameters.
fn stack_of_two(layer: Value, input: &Value, parameters: &Value) -> Stack {
    let layer = match &layer {
        Value::String(_) => serde_json::from_value(layer).unwrap(),
        _ => serde_json::from_value::<Layer>(layer).unwrap(),
    };
    let shape = Shape::from(&shape_of(input)[1..]);
    let stack = Architecture::follow(&[layer], Init::Pytorch, &shape).unwrap().build(&[0, 1], Device::Cpu).unwrap();
    let _no_grad = tch::no_grad_guard();
    for slot in stack.arena().slots() {
        let name = slot.name.strip_prefix("0.").unwrap();
        slot.view(stack.arena().values()).copy_(&tensor(&parameters[name]).unsqueeze(0));
    }
    stack
}

#[test]
fn stacked_image_networks_equal_single_networks() {
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
    let layers: Vec<Layer> = serde_json::from_value(layers.clone()).unwrap();
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
