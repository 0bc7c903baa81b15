//! Tests of networks with convolutions.

use tch::{Device, Kind, Tensor};

use super::{SGD, assert_same_training, read};
use crate::train::fused_cpu::convolution::{Convolutions, FusedConvolution, Sliding};
use crate::train::fused_cpu::plan::Plan;
use crate::train::fused_cpu::tests::case::Case;

#[test]
fn convolutions_train_as_with_autograd() {
    for layers in [
        "{conv2d={channels=3,kernel=3}} \"relu\" {max_pool2d=2} \"flatten\" {linear=3}",
        "{conv2d={channels=9,kernel=[3,2],padding=1}} {leaky_relu=0.1} {max_pool2d={kernel=3,stride=2,padding=1}} \
         {conv2d={channels=5,kernel=2,bias=false}} \"relu\" \"flatten\" {linear=9} \"batch_norm\" \"relu\" {dropout=0.3} {linear=3}",
        "{conv2d={channels=11,kernel=3,stride=2,padding=1}} \"flatten\" {linear=8} \"tanh\" {linear=3}",
        "{conv2d={channels=4,kernel=3,padding=\"same\"}} {max_pool2d=2} \"relu\" {conv2d={channels=10,kernel=2}} \
         {max_pool2d={kernel=2,stride=1}} \"flatten\" {linear=3}",
    ] {
        // The last batch has 11 rows, 1 row, or all rows.
        for batch in ["64", "74", "75"] {
            let settings: &str = format!(
                "optimizer = {{ sgd = {{ lr = 0.05, momentum = 0.5 }} }}\nkeep = \"last\"\nbatch = {batch}\n\
                 loss = \"cross_entropy\""
            )
            .leak();
            for (replicas, threads, folds) in [(1, 1, false), (1, 2, false), (1, 4, false), (3, 2, false), (5, 3, true)]
            {
                assert_same_training(&Case { layers, settings, replicas, threads, folds });
            }
        }
    }
}

#[test]
fn penalties_and_clipping_include_convolutions() {
    let layers = "{conv2d={channels=3,kernel=3}} \"relu\" {max_pool2d=2} \"flatten\" {linear=3}";
    for line in ["penalty = { l1 = 0.01, l2 = 0.02 }", "clip = { norm = 0.1 }", "clip = { value = 0.01 }"] {
        let settings: &str = format!("{SGD}batch = 20\nloss = \"mse\"\n{line}").leak();
        for threads in [1, 3] {
            assert_same_training(&Case { layers, settings, replicas: 2, threads, folds: false });
        }
    }
}

#[test]
fn other_networks_of_convolutions_are_left_to_autograd() {
    for layers in [
        "{conv2d={channels=3,kernel=3}} \"tanh\" \"flatten\" {linear=3}",
        "{conv2d={channels=3,kernel=3}} \"batch_norm\" \"flatten\" {linear=3}",
        "{conv2d={channels=3,kernel=3}} {max_pool2d=2} {leaky_relu=0.1} \"flatten\" {linear=3}",
        "{conv2d={channels=3,kernel=3}} {max_pool2d=2} {max_pool2d=2} \"flatten\" {linear=3}",
        "{conv2d={channels=3,kernel=3}} {avg_pool2d=2} \"flatten\" {linear=3}",
        "{max_pool2d=2} {conv2d={channels=3,kernel=3}} \"flatten\" {linear=3}",
        // libtorch is faster
        "{conv2d={channels=200,kernel=3,padding=1}} {conv2d={channels=200,kernel=3,padding=1}} \"flatten\" {linear=3}",
    ] {
        let settings = read(&format!("{SGD}batch = 20\nloss = \"mse\""));
        let case = Case { layers, settings: "", replicas: 1, threads: 1, folds: false };
        case.with_task(&[settings], &[0], |stack, task| assert!(Plan::from_task(stack, task).is_none(), "{layers}"));
    }
}

/// Sizes of a convolution and of the pooling after it.
struct Sizes {
    channels: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    slope: f32,
    pool: Option<Sliding>,
}

/// Returns whole numbers, so that sums are exact and equal values are frequent.
fn numbers(count: usize, range: i64) -> Vec<f32> {
    let numbers = (0..count as i64).map(|index| (index * index * 7 + index * 3) % 11 % range - range / 2);
    numbers.map(|number| number as f32).collect()
}

#[test]
fn outputs_and_gradients_have_the_bits_of_libtorch() {
    let pool = |kernel, stride, padding| Some(Sliding { kernel, stride, padding });
    let one = |channels, kernel, pool| Sizes { channels, kernel, stride: [1, 1], padding: [0, 0], slope: 0.0, pool };
    let two = pool([2, 2], [2, 2], [0, 0]);
    let cases = [
        ([1, 14, 15], vec![one(8, [3, 3], two), one(16, [3, 3], two)]),
        (
            [3, 9, 8],
            vec![
                Sizes { padding: [1, 1], slope: 0.25, ..one(5, [3, 2], pool([3, 3], [2, 2], [1, 1])) },
                Sizes { stride: [1, 2], ..one(17, [2, 2], None) },
            ],
        ),
        ([2, 7, 7], vec![Sizes { stride: [2, 2], padding: [1, 1], slope: 1.0, ..one(3, [3, 3], None) }]),
        (
            [1, 5, 5],
            vec![
                Sizes { padding: [2, 2], ..one(24, [5, 5], pool([2, 2], [1, 1], [0, 0])) },
                Sizes { padding: [1, 1], ..one(9, [1, 1], pool([3, 2], [1, 2], [1, 1])) },
            ],
        ),
        ([1, 3, 3], vec![one(2, [3, 3], None)]),
    ];
    for (image, sizes) in cases {
        let rows = 3;
        let (mut convolutions, mut inputs, mut offset) = (Vec::new(), image, 0);
        for Sizes { channels, kernel, stride, padding, slope, pool } in sizes {
            let window = Sliding { kernel, stride, padding };
            let mut one = FusedConvolution { inputs, channels, window, weight: offset, bias: None, slope, pool };
            offset += one.weights() + channels;
            one.bias = Some(offset - channels);
            inputs = one.outputs();
            convolutions.push(one);
        }
        let [columns, outputs] = [image, inputs].map(|size| size.iter().product::<usize>());
        let (features, parameters) = (numbers(rows * columns, 3), numbers(offset, 5));
        let output_gradient = numbers(rows * outputs, 7);
        let (mut found, mut gradient) = (vec![0.0; rows * outputs], vec![9.0; offset]);
        let mut fused = Convolutions::new(&convolutions).unwrap();
        for rows in [rows, 1, rows] {
            fused.forward(&features[..rows * columns], &parameters, &mut found[..rows * outputs], true);
            fused.backward(&output_gradient[..rows * outputs], &mut gradient);
        }
        let (wanted, wanted_gradient) = with_libtorch(&convolutions, &features, &parameters, &output_gradient);
        assert_eq!(found, wanted, "{convolutions:?}");
        assert_eq!(gradient, wanted_gradient, "{convolutions:?}");
        fused.forward(&features, &parameters, &mut found, false);
        assert_eq!(found, wanted, "in evaluation mode, {convolutions:?}");
    }
}

/// Returns the outputs and the gradient of the parameters.
fn with_libtorch(
    convolutions: &[FusedConvolution],
    features: &[f32],
    parameters: &[f32],
    output_gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let sizes = |sizes: [usize; 2]| sizes.map(|size| size as i64);
    let parameters = Tensor::from_slice(parameters).set_requires_grad(true);
    let image = convolutions[0].inputs.map(|size| size as i64);
    let mut values = Tensor::from_slice(features).view([-1, image[0], image[1], image[2]]);
    for one in convolutions {
        let [channels, inputs] = [one.channels, one.inputs[0]].map(|number| number as i64);
        let [height, width] = sizes(one.window.kernel);
        let part = |start: usize, count: usize| parameters.narrow(0, start as i64, count as i64);
        let weight = part(one.weight, one.weights()).view([channels, inputs, height, width]);
        let bias = one.bias.map(|bias| part(bias, one.channels));
        values = values.conv2d(&weight, bias, sizes(one.window.stride), sizes(one.window.padding), [1, 1], 1);
        values = values.prelu(&Tensor::full([1], f64::from(one.slope), (Kind::Float, Device::Cpu)));
        if let Some(pool) = one.pool {
            let [kernel, stride, padding] = [pool.kernel, pool.stride, pool.padding].map(sizes);
            values = values.max_pool2d(kernel, stride, padding, [1, 1], false);
        }
    }
    let loss = (values.flatten(0, -1) * Tensor::from_slice(output_gradient)).sum(Kind::Float);
    let gradient = Tensor::run_backward(&[loss], &[&parameters], false, false).remove(0);
    let read = |tensor: &Tensor| Vec::<f32>::try_from(tensor.detach().contiguous().flatten(0, -1)).unwrap();
    (read(&values), read(&gradient))
}
