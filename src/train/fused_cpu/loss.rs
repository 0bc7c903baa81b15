//! Losses of the fused CPU backend, with their gradient at the outputs in closed form.

#![expect(unsafe_code, reason = "losses and gradients are computed in libtorch's memory")]

use tch::Tensor;

use crate::tensor::raw_values::RawF32;
use crate::train::fused_cpu::log_softmax::{is_exact, log_softmax};
use crate::train::loss::Loss;
use crate::train::loss::cross_entropy::{ClassTargets, CrossEntropy};

/// Loss without weights: the mean over the rows of a batch and, except for cross-entropy, over the outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FusedLoss {
    /// Cross-entropy of logits and class numbers.
    CrossEntropy {
        /// Label smoothing.
        smoothing: f32,
    },
    /// Binary cross-entropy of logits.
    BceWithLogits,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Huber loss.
    Huber {
        /// Error from which the loss is linear.
        delta: f32,
    },
}

/// Targets of some rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Targets<'a> {
    /// Class of each row, `[rows]`.
    Classes(&'a [i64]),
    /// Values of each row, `[rows, outputs]`.
    Values(&'a [f32]),
}

impl FusedLoss {
    /// Returns the same loss; `None` if the fused CPU backend does not support it or it has weights.
    pub(crate) fn from_loss(loss: &Loss) -> Option<FusedLoss> {
        match loss {
            Loss::CrossEntropy(CrossEntropy {
                label_smoothing,
                class_weights: None,
                targets: ClassTargets::Sparse,
            }) => Some(FusedLoss::CrossEntropy { smoothing: *label_smoothing as f32 }),
            Loss::BceWithLogits(settings) if settings.pos_weight.is_none() => Some(FusedLoss::BceWithLogits),
            Loss::Mse => Some(FusedLoss::Mse),
            Loss::Mae => Some(FusedLoss::Mae),
            Loss::Huber(huber) => Some(FusedLoss::Huber { delta: huber.delta as f32 }),
            Loss::CrossEntropy(_) | Loss::BceWithLogits(_) | Loss::Bce | Loss::Nll(_) | Loss::TorchScript(_) => None,
        }
    }

    /// Returns the sum of the losses of these rows, and writes the gradient of the mean loss of a batch of `batch` rows
    /// to `gradient`.
    ///
    /// # Shapes
    /// `outputs` and `gradient` are `[rows, outputs]`.
    ///
    /// # Safety
    /// The two tensors do not overlap, are initialized, and nobody else reads or writes them until this returns.
    pub(crate) unsafe fn loss_and_gradient(
        self,
        outputs: &Tensor,
        targets: Targets,
        gradient: &Tensor,
        batch: usize,
    ) -> f64 {
        let units = outputs.size()[1] as usize;
        let slices = || {
            // SAFETY: the tensor outlives this function, and nobody writes to it, as the caller guarantees.
            let outputs = unsafe { RawF32::from_tensor(outputs).get() };
            // SAFETY: the same, and the tensors do not overlap; no slice is in use when libtorch writes to the tensor
            // or another slice is taken.
            let gradient = unsafe { RawF32::from_tensor(gradient).get_mut() };
            (outputs, gradient)
        };
        match (self, targets) {
            (FusedLoss::CrossEntropy { smoothing }, Targets::Classes(classes)) => {
                if is_exact(units) {
                    let (outputs, logarithms) = slices();
                    log_softmax(outputs, units, logarithms);
                } else {
                    let _ = outputs.internal_log_softmax_out(gradient, 1, false);
                }
                let sum_at_targets = |logarithms: &[f32]| -> f64 {
                    let rows = logarithms.chunks_exact(units).zip(classes);
                    rows.map(|(row, &class)| f64::from(row[class as usize])).sum()
                };
                let mut loss = -sum_at_targets(slices().1);
                if smoothing > 0.0 {
                    let all: f64 = slices().1.iter().map(|&logarithm| f64::from(logarithm)).sum();
                    let smoothing = f64::from(smoothing);
                    loss = loss * (1.0 - smoothing) - all * smoothing / units as f64;
                }
                let _ = gradient.shallow_clone().exp_();
                let (share, probabilities) = (1.0 / batch as f32, slices().1);
                let (at_target, at_all) = (share * (1.0 - smoothing), share * smoothing / units as f32);
                probabilities.iter_mut().for_each(|probability| *probability = *probability * share - at_all);
                for (row, &class) in probabilities.chunks_exact_mut(units).zip(classes) {
                    row[class as usize] -= at_target;
                }
                loss
            }
            (FusedLoss::BceWithLogits, Targets::Values(values)) => {
                let share = 1.0 / (batch * units) as f32;
                sum_losses(slices(), values, units, |x, t| {
                    let small = (-x.abs()).exp(); // at most 1, so it cannot overflow
                    let probability = if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
                    let positive = if x > 0.0 || x.is_nan() { x } else { 0.0 };
                    (positive - x * t + small.ln_1p(), (probability - t) * share)
                })
            }
            (FusedLoss::Mse, Targets::Values(values)) => {
                let share = 2.0 / (batch * units) as f32;
                sum_losses(slices(), values, units, |x, t| ((x - t) * (x - t), (x - t) * share))
            }
            (FusedLoss::Mae, Targets::Values(values)) => {
                let share = 1.0 / (batch * units) as f32;
                // PyTorch's derivative at an error of 0 is 0, where `signum` is 1
                let sign = |error: f32| if error == 0.0 { 0.0 } else { error.signum() };
                sum_losses(slices(), values, units, |x, t| ((x - t).abs(), sign(x - t) * share))
            }
            (FusedLoss::Huber { delta }, Targets::Values(values)) => {
                let share = 1.0 / (batch * units) as f32;
                sum_losses(slices(), values, units, |x, t| {
                    let error = x - t;
                    let loss = match error.abs() {
                        size if size <= delta => 0.5 * error * error,
                        size => delta * (size - 0.5 * delta),
                    };
                    (loss, error.clamp(-delta, delta) * share)
                })
            }
            (FusedLoss::CrossEntropy { .. }, Targets::Values(_)) | (_, Targets::Classes(_)) => {
                unreachable!("the plan matches losses and targets")
            }
        }
    }
}

/// Returns the sum over the rows of the loss, averaged over each row's outputs, and fills `slopes` with the gradient.
fn sum_losses(
    (outputs, slopes): (&[f32], &mut [f32]),
    targets: &[f32],
    units: usize,
    of: impl Fn(f32, f32) -> (f32, f32),
) -> f64 {
    let mut sum = 0.0;
    for ((output, target), slope) in outputs.iter().zip(targets).zip(slopes) {
        let (loss, gradient) = of(*output, *target);
        sum += f64::from(loss);
        *slope = gradient;
    }
    sum / units as f64
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::train::TrainSpec;

    /// Returns loss and gradient for one row of outputs, from autograd and from the fused CPU backend.
    fn both(loss: &str, outputs: &[f32], targets: &Tensor) -> [(f64, Vec<f32>); 2] {
        let loss: Loss =
            toml_edit::de::from_str::<TrainSpec>(&format!("epochs = 1\nbatch = 1\noptimizer = \"sgd\"\nloss = {loss}"))
                .unwrap()
                .loss;
        let units = outputs.len() as i64;
        let outputs = Tensor::from_slice(outputs).view([1, units]);
        let wanted = outputs.copy().unsqueeze(0).set_requires_grad(true);
        let value = loss.criterion(&targets.unsqueeze(0), units as usize, 1).of_each_replica(
            &wanted,
            &targets.unsqueeze(0),
            None,
        );
        let gradient = Tensor::run_backward(&[value.sum(None)], &[&wanted], false, false).remove(0);
        let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
        let ours = Tensor::zeros([1, units], (Kind::Float, Device::Cpu));
        let (classes, values);
        let of_row = match targets.kind() {
            Kind::Int64 => {
                classes = Vec::try_from(targets).unwrap();
                Targets::Classes(&classes)
            }
            _ => {
                values = numbers(targets);
                Targets::Values(&values)
            }
        };
        // SAFETY: this thread has just created both tensors, which do not overlap.
        let sum = unsafe { FusedLoss::from_loss(&loss).unwrap().loss_and_gradient(&outputs, of_row, &ours, 1) };
        [(value.double_value(&[0]), numbers(&gradient)), (sum, numbers(&ours))]
    }

    #[test]
    fn losses_and_gradients_equal_autograds_for_large_outputs_too() {
        let values = Tensor::from_slice(&[1.0_f32, 0.0, 1.0]).view([1, 3]);
        let class = Tensor::from_slice(&[1_i64]);
        for outputs in [[200.0, -200.0, 0.0], [-200.0, 200.0, 200.0], [0.3, -0.1, 2.0], [88.0, -104.0, 1e-8]] {
            for (loss, targets) in [
                ("\"cross_entropy\"", &class),
                ("{ cross_entropy = { label_smoothing = 0.3 } }", &class),
                ("\"bce_with_logits\"", &values),
                ("\"mse\"", &values),
            ] {
                let [(wanted, slopes), (found, ours)] = both(loss, &outputs, targets);
                assert!((found - wanted).abs() <= 1e-6 * wanted.abs(), "{loss} of {outputs:?}: {found}, {wanted}");
                let pairs = ours.iter().zip(&slopes);
                assert!(
                    pairs.clone().all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1e-3)),
                    "{loss}: {ours:?} {slopes:?}"
                );
            }
        }
    }

    #[test]
    fn a_nan_output_gives_a_nan_loss() {
        let values = Tensor::from_slice(&[1.0_f32, 0.0]).view([1, 2]);
        let class = Tensor::from_slice(&[1_i64]);
        for (loss, targets) in [("\"cross_entropy\"", &class), ("\"bce_with_logits\"", &values), ("\"mse\"", &values)] {
            let [_, (found, _)] = both(loss, &[f32::NAN, 1.0], targets);
            assert!(found.is_nan(), "{loss}: {found}");
        }
    }
}
