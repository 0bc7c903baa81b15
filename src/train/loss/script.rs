//! A loss written in PyTorch and exported as TorchScript.

use tch::{Device, Kind, Tensor};

use crate::network::torchscript::TorchScript;
use crate::tensor::generators::with_replica;

/// Smallest share of a class or label; its logarithm is finite.
const MIN_SHARE: f64 = 1e-6;

/// Returns the mean loss of each replica; with `row_weights`, `Σ w l / Σ w` over the rows. Random numbers of the loss come
/// from the replica's generators.
///
/// # Shapes
/// `outputs` `[replicas, batch, outputs]`, `targets` `[replicas, batch]` or `[replicas, batch, outputs]`, `row_weights`
/// `[replicas, batch]`, f32 → `[replicas]`.
pub(super) fn loss(module: &TorchScript, outputs: &Tensor, targets: &Tensor, row_weights: Option<&Tensor>) -> Tensor {
    let of_replica = |replica: i64| {
        let call = || module.call(&outputs.get(replica), &targets.get(replica));
        let losses = with_replica(replica as usize, call).unwrap_or_else(|fault| fault.throw());
        mean(&losses, row_weights.map(|weights| weights.get(replica)).as_ref())
    };
    Tensor::stack(&(0..outputs.size()[0]).map(of_replica).collect::<Vec<_>>(), 0)
}

/// Returns the mean of a scalar or of a value for each row.
fn mean(losses: &Tensor, row_weights: Option<&Tensor>) -> Tensor {
    match row_weights {
        Some(weights) if losses.dim() > 0 => (losses.flatten(0, -1) * weights).sum(None) / weights.sum(None),
        _ if losses.dim() > 0 => losses.mean(None),
        _ => losses.shallow_clone(),
    }
}

/// Returns the lowest loss of some constant predictions for each replica: the mean and the median of the targets, and the
/// logarithms of the class frequencies, since the loss may take logits. NaN if none is finite.
///
/// The losses are computed on the CPU, where a value that the loss does not accept is an error that can be caught.
///
/// # Shapes
/// As for `loss`; returns `[replicas]`, f64.
pub(super) fn constant_prediction_loss(
    module: &TorchScript,
    targets: &Tensor,
    outputs: usize,
    row_weights: Option<&Tensor>,
) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let targets = targets.to_device(Device::Cpu);
    let row_weights = row_weights.map(|weights| weights.to_device(Device::Cpu));
    let of_replica = |replica: i64| {
        let targets = targets.get(replica); // [rows] or [rows, outputs]
        let weights = row_weights.as_ref().map(|weights| weights.get(replica));
        let loss = |constant: &Tensor| {
            let outputs = constant.to_kind(Kind::Float).expand([targets.size()[0], outputs as i64], false).contiguous();
            let losses = module.call(&outputs, &targets).ok()?;
            Some(mean(&losses, weights.as_ref()).double_value(&[])).filter(|loss| loss.is_finite())
        };
        let best = constants(&targets, outputs).iter().filter_map(loss).reduce(f64::min);
        best.unwrap_or(f64::NAN)
    };
    Tensor::from_slice(&(0..targets.size()[0]).map(of_replica).collect::<Vec<_>>())
}

/// Returns constant predictions for these targets: `[rows]` int64 or `[rows, outputs]` f32 → `[1, outputs]` each, f64.
fn constants(targets: &Tensor, outputs: usize) -> Vec<Tensor> {
    let numbers = match (targets.kind(), outputs) {
        (Kind::Int64, 1) => targets.unsqueeze(1),
        (Kind::Int64, _) => targets.one_hot(outputs as i64),
        _ => targets.shallow_clone(),
    };
    let numbers = numbers.to_kind(Kind::Double);
    let mean = numbers.mean_dim(0, true, None);
    let share = mean.clamp(MIN_SHARE, 1.0 - MIN_SHARE);
    let logits = if outputs > 1 && targets.kind() == Kind::Int64 { share.log() } else { share.logit(None) };
    vec![mean, numbers.median_dim(0, true).0, logits]
}
