//! Finds out whether the outputs of a network are probabilities or their logarithms, from trial runs with large rows and random
//! parameters.

use tch::{Device, Kind, Tensor};

use crate::network::layer::OutputKind;
use crate::tensor::script_module::ScriptModule;

/// Number of rows of a trial run.
const ROWS: i64 = 8;

/// Factor of the standard normal numbers in the rows.
const SCALE: f64 = 100.0;

/// Number of times that parameters are drawn.
const DRAWS: usize = 3;

/// Maximum difference of a sum of probabilities from 1.
const TOLERANCE: f64 = 1e-3;

/// Returns what the outputs for rows of shape `sample` are. Probabilities stay between 0 and 1 for all rows and
/// parameters, and are not all alike; the exponentials of log-probabilities sum to 1. Draws new values for the parameters.
/// `run` runs rows in evaluation mode.
pub fn output_kind(
    module: &ScriptModule,
    parameters: &[(String, Tensor)],
    sample: &[i64],
    run: impl Fn(&ScriptModule, &Tensor) -> Option<Tensor>,
) -> OutputKind {
    let _no_grad = tch::no_grad_guard();
    tch::manual_seed(0);
    let shape = [&[ROWS], sample].concat();
    let on_cpu = (Kind::Float, Device::Cpu);
    // rows of token ids cannot be large
    let try_rows =
        || run(module, &(Tensor::randn(&shape, on_cpu) * SCALE)).or_else(|| run(module, &Tensor::rand(&shape, on_cpu)));
    let mut outputs: Vec<Tensor> = try_rows().into_iter().collect();
    for _ in 0..DRAWS {
        for (_, parameter) in parameters {
            let size = parameter.size();
            let inputs = if size.len() > 1 { size[1..].iter().product::<i64>() } else { 1 };
            let values = parameter.randn_like() * (3.0 / (inputs as f64).sqrt());
            parameter.shallow_clone().copy_(&values);
        }
        outputs.extend(try_rows());
    }
    outputs.retain(|output| output.isfinite().all().int64_value(&[]) == 1);
    let (Some(low), Some(high)) = (
        outputs.iter().map(|output| output.min().double_value(&[])).reduce(f64::min),
        outputs.iter().map(|output| output.max().double_value(&[])).reduce(f64::max),
    ) else {
        return OutputKind::Values;
    };
    let sums_to_one_in_logarithms = |output: &Tensor| {
        output.size()[1] > 1 && output.logsumexp([1], false).abs().max().double_value(&[]) < TOLERANCE
    };
    if outputs[0].dim() != 2 || high - low < TOLERANCE {
        return OutputKind::Values;
    }
    if outputs.iter().all(sums_to_one_in_logarithms) {
        return OutputKind::LogDistribution;
    }
    if low < 0.0 || high > 1.0 {
        return OutputKind::Values;
    }
    let sums_to_one = |output: &Tensor| {
        output.size()[1] > 1 && (output.sum_dim_intlist(1, false, None) - 1.0).abs().max().double_value(&[]) < TOLERANCE
    };
    if outputs.iter().all(sums_to_one) { OutputKind::Distribution } else { OutputKind::Probabilities }
}
