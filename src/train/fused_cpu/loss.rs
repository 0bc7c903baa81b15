//! Losses whose gradient at the outputs is known: what autograd would find, without it.

#![expect(unsafe_code, reason = "losses and gradients are computed in libtorch's memory")]

use tch::Tensor;

use crate::tensor::raw_f32::RawF32;
use crate::train::loss::Loss;
use crate::train::loss::cross_entropy::{ClassTargets, CrossEntropy};

/// A loss without weights, the mean over the rows of a batch (and over the outputs, where it is taken of each).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FusedLoss {
    /// Cross-entropy of logits and class numbers.
    CrossEntropy,
    /// Binary cross-entropy of logits.
    BceWithLogits,
    /// Mean squared error.
    Mse,
}

/// The targets of some rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Targets<'a> {
    /// The class of each row.
    Classes(&'a [i64]),
    /// The numbers of each row, `[rows, outputs]`.
    Values(&'a [f32]),
}

impl<'a> Targets<'a> {
    /// Those of a run of rows.
    pub(crate) fn rows(self, start: usize, rows: usize, outputs: usize) -> Targets<'a> {
        match self {
            Targets::Classes(classes) => Targets::Classes(&classes[start..start + rows]),
            Targets::Values(values) => Targets::Values(&values[start * outputs..(start + rows) * outputs]),
        }
    }
}

impl FusedLoss {
    /// The same loss; `None` where it is none of these, or has weights.
    pub(crate) fn of(loss: &Loss) -> Option<FusedLoss> {
        let plain = CrossEntropy { targets: ClassTargets::Sparse, ..CrossEntropy::default() };
        match loss {
            Loss::CrossEntropy(settings) if *settings == plain => Some(FusedLoss::CrossEntropy),
            Loss::BceWithLogits(settings) if settings.pos_weight.is_none() => Some(FusedLoss::BceWithLogits),
            Loss::Mse => Some(FusedLoss::Mse),
            _ => None,
        }
    }

    /// The sum of the losses of some rows; their gradient, of the mean over a batch of `batch` rows, goes to `gradient`.
    ///
    /// # Shapes
    /// `outputs` and `gradient` are `[rows, outputs]`.
    ///
    /// # Safety
    /// The two do not share memory, were written before, and nobody else reads or writes theirs until this returns.
    pub(crate) unsafe fn with_gradient(
        self,
        outputs: &Tensor,
        targets: Targets,
        gradient: &Tensor,
        batch: usize,
    ) -> f64 {
        let units = outputs.size()[1] as usize;
        let floats = || {
            // SAFETY: the tensor outlives this function, and nobody writes to it, as the caller vouches.
            let outputs = unsafe { RawF32::of(outputs).get() };
            // SAFETY: the same, and it is no part of the other; below, no slice is used any more when libtorch writes to
            // it, nor when the next is taken.
            let gradient = unsafe { RawF32::of(gradient).get_mut() };
            (outputs, gradient)
        };
        match (self, targets) {
            (FusedLoss::CrossEntropy, Targets::Classes(classes)) => {
                // libtorch's own, so that the probabilities are those of autograd to the last digit: Adam makes steps of
                // the size of the learning rate out of the smallest differences
                let _ = outputs.internal_log_softmax_out(gradient, 1, false);
                let of_targets = |logarithms: &[f32]| -> f64 {
                    let rows = logarithms.chunks_exact(units).zip(classes);
                    rows.map(|(row, &class)| f64::from(row[class as usize])).sum()
                };
                let loss = -of_targets(floats().1);
                let _ = gradient.shallow_clone().exp_();
                let (share, probabilities) = (1.0 / batch as f32, floats().1);
                probabilities.iter_mut().for_each(|probability| *probability *= share);
                for (row, &class) in probabilities.chunks_exact_mut(units).zip(classes) {
                    row[class as usize] -= share;
                }
                loss
            }
            (FusedLoss::BceWithLogits, Targets::Values(values)) => {
                let share = 1.0 / (batch * units) as f32;
                each(floats(), values, units, |x, t| {
                    let small = (-x.abs()).exp(); // at most 1: nothing overflows
                    let probability = if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
                    let positive = if x > 0.0 || x.is_nan() { x } else { 0.0 };
                    (positive - x * t + small.ln_1p(), (probability - t) * share)
                })
            }
            (FusedLoss::Mse, Targets::Values(values)) => {
                let share = 2.0 / (batch * units) as f32;
                each(floats(), values, units, |x, t| ((x - t) * (x - t), (x - t) * share))
            }
            _ => unreachable!("the plan matches losses and targets"),
        }
    }
}

/// Goes through outputs and targets: the sum of the losses, averaged over each row's outputs; slopes are filled in.
fn each(
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

    /// The loss and its gradient by autograd, then by us, at these outputs of one row.
    fn both(loss: &str, outputs: &[f32], targets: &Tensor) -> [(f64, Vec<f32>); 2] {
        let loss: Loss = serde_json::from_value(serde_json::json!({ loss: {} }))
            .or_else(|_| serde_json::from_value(serde_json::json!(loss)))
            .unwrap();
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
        // SAFETY: this thread has just made both, and each has memory of its own.
        let sum = unsafe { FusedLoss::of(&loss).unwrap().with_gradient(&outputs, of_row, &ours, 1) };
        [(value.double_value(&[0]), numbers(&gradient)), (sum, numbers(&ours))]
    }

    #[test]
    fn losses_and_gradients_are_autograds_at_the_largest_outputs_too() {
        let values = Tensor::from_slice(&[1.0_f32, 0.0, 1.0]).view([1, 3]);
        let class = Tensor::from_slice(&[1_i64]);
        for outputs in [[200.0, -200.0, 0.0], [-200.0, 200.0, 200.0], [0.3, -0.1, 2.0], [88.0, -104.0, 1e-8]] {
            for (loss, targets) in [("cross_entropy", &class), ("bce_with_logits", &values), ("mse", &values)] {
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
    fn an_output_that_is_not_a_number_makes_the_loss_none() {
        let values = Tensor::from_slice(&[1.0_f32, 0.0]).view([1, 2]);
        let class = Tensor::from_slice(&[1_i64]);
        for (loss, targets) in [("cross_entropy", &class), ("bce_with_logits", &values), ("mse", &values)] {
            let [_, (found, _)] = both(loss, &[f32::NAN, 1.0], targets);
            assert!(found.is_nan(), "{loss}: {found}");
        }
    }
}
