//! Accuracy: the share of rows whose predicted class is right (scikit-learn's `accuracy_score`), and top-k accuracy
//! (`top_k_accuracy_score`). Range 0–1, higher is better. For multi-label targets, accuracy is the share of labels that
//! are predicted right.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::shorthand::{FromNumber, size};
use crate::metrics::decision::Decision;
use crate::metrics::info::{MetricInfo, Targets};
use crate::tensor::raw_values::{RawF32, RawValues};

/// Top-k accuracy: a row is right when its class is among the `k` largest outputs. Written `{ top_k = 5 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TopK {
    /// Number of largest outputs that count as predicted.
    pub k: usize,
}

impl Default for TopK {
    fn default() -> Self {
        TopK { k: 5 }
    }
}

impl FromNumber for TopK {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(TopK { k: size(number, "the number of classes")? })
    }
}

/// Properties of accuracy.
pub const ACCURACY: MetricInfo = MetricInfo {
    name: Cow::Borrowed("acc"),
    label: Cow::Borrowed("accuracy"),
    range: [0.0, 1.0],
    higher_is_better: Some(true),
    needs_scores: false,
    uses_positive_class: false,
    is_percent: true,
    targets: Targets::Classes,
};

/// Returns the properties of top-k accuracy. With k classes or fewer, every row's class is among the k largest outputs.
pub fn top_k_info(k: usize) -> MetricInfo {
    MetricInfo {
        name: Cow::Owned(format!("top_{k}")),
        label: Cow::Owned(format!("top {k}")),
        needs_scores: true,
        targets: Targets::MoreClassesThan(if k > 2 { k } else { 2 }),
        ..ACCURACY
    }
}

/// Returns the accuracy of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64, or `[replicas, rows, outputs]` f32 for
/// multi-label targets → `[replicas]`, f64.
pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Tensor {
    let kinds = (outputs.kind(), truth.kind(), outputs.device());
    if decision == Decision::Largest && kinds == (Kind::Float, Kind::Int64, Device::Cpu) && truth.numel() > 0 {
        return largest_on_cpu(&outputs.contiguous(), &truth.contiguous());
    }
    decision.classes(outputs).eq_tensor(truth).flatten(1, -1).mean_dim(1, false, Kind::Double)
}

/// Returns the share of rows whose class has the largest output, in one pass over contiguous tensors.
#[expect(unsafe_code, reason = "reads the memory of tensors")]
fn largest_on_cpu(outputs: &Tensor, truth: &Tensor) -> Tensor {
    let [_, rows, classes] = outputs.size()[..] else { unreachable!("outputs are [replicas, rows, classes]") };
    let (rows, classes) = (rows as usize, classes as usize);
    let raw: (RawF32, RawValues<i64>) = (RawValues::from_tensor(outputs), RawValues::from_tensor(truth));
    // SAFETY: the tensor outlives the slice, and nothing writes to the outputs while metrics are computed.
    let outputs = unsafe { raw.0.get() };
    // SAFETY: as above; nothing writes to the truth.
    let truth = unsafe { raw.1.get() };
    let shares = outputs.chunks_exact(rows * classes).zip(truth.chunks_exact(rows)).map(|(outputs, truth)| {
        let pairs = outputs.chunks_exact(classes).zip(truth);
        pairs.filter(|(row, class)| is_largest(row, **class as usize)).count() as f64 / rows as f64
    });
    Tensor::from_slice(&shares.collect::<Vec<f64>>())
}

/// Whether the value at `index` is the first of the largest ones; NaN counts as the largest, as in PyTorch.
fn is_largest(row: &[f32], index: usize) -> bool {
    let Some(&value) = row.get(index) else { return false };
    if value.is_nan() {
        return !row[..index].iter().any(|value| value.is_nan());
    }
    // without branches, which the processor would often predict wrongly
    let is_less_before = row[..index].iter().fold(true, |all, before| all & (*before < value));
    row[index + 1..].iter().fold(is_less_before, |all, after| all & (*after <= value))
}

/// Returns the share of rows whose class is among the `k` largest outputs. Ties go to the class with the lower index.
///
/// # Shapes
/// `outputs` `[replicas, rows, classes]`, `truth` `[replicas, rows]` int64 → `[replicas]`, f64.
pub fn top_k(outputs: &Tensor, truth: &Tensor, k: usize) -> Tensor {
    let (count, place) = (outputs.size()[2], truth.unsqueeze(-1));
    let own = outputs.gather(-1, &place, false); // [replicas, rows, 1]
    let later = Tensor::arange(count, (Kind::Int64, outputs.device())).ge_tensor(&place); // includes the class itself
    let behind = outputs.lt_tensor(&own).logical_or(&outputs.eq_tensor(&own).logical_and(&later));
    // A NaN output compares below nothing, so it never ranks among the k largest.
    let rank = count - behind.sum_dim_intlist(-1, false, Kind::Int64);
    rank.lt(k as i64).mean_dim(1, false, Kind::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracy(outputs: &[f32], truth: &[i64], decision: Decision) -> f64 {
        let rows = truth.len() as i64;
        let outputs = Tensor::from_slice(outputs).view([1, rows, -1]);
        per_replica(&outputs, &Tensor::from_slice(truth).view([1, rows]), decision).double_value(&[0])
    }

    #[test]
    fn each_decision_counts_the_right_rows() {
        assert_eq!(accuracy(&[0.5, 0.4, 0.9, -3.0], &[1, 0, 0, 0], Decision::Above(0.5)), 0.75);
        assert_eq!(accuracy(&[0.1, 0.7, 0.2, 5.0, 5.0, 1.0], &[1, 0], Decision::Largest), 1.0);
        let outputs = Tensor::from_slice(&[2.0_f32, -1.0, 0.5, -0.5]).view([1, 2, 2]);
        let truth = Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 0.0]).view([1, 2, 2]);
        assert_eq!(per_replica(&outputs, &truth, Decision::EachAbove(0.0)).double_value(&[0]), 0.75);
    }

    #[test]
    fn the_pass_over_memory_equals_argmax_with_ties_and_nan() {
        tch::manual_seed(1);
        let outputs = Tensor::randint(4, [3, 500, 5], (Kind::Float, Device::Cpu));
        let outputs = outputs.masked_fill(&Tensor::rand([3, 500, 5], (Kind::Float, Device::Cpu)).lt(0.05), f64::NAN);
        let truth = Tensor::randint(5, [3, 500], (Kind::Int64, Device::Cpu));
        let wanted = outputs.argmax(-1, false).eq_tensor(&truth).mean_dim(1, false, Kind::Double);
        assert_eq!(per_replica(&outputs, &truth, Decision::Largest), wanted);
        let empty = Tensor::zeros([2, 0, 3], (Kind::Float, Device::Cpu));
        let no_truth = Tensor::zeros([2, 0], (Kind::Int64, Device::Cpu));
        assert_eq!(per_replica(&empty, &no_truth, Decision::Largest).size(), [2], "no rows, but two replicas");
    }

    #[test]
    fn top_1_is_the_accuracy_and_ties_go_to_the_first_classes() {
        let outputs = Tensor::from_slice(&[5.0_f32, 5.0, 1.0, 5.0, 5.0, 1.0, f32::NAN, 0.0, 1.0]).view([1, 3, 3]);
        let truth = Tensor::from_slice(&[0_i64, 1, 0]).view([1, 3]);
        let top = |k| top_k(&outputs, &truth, k).double_value(&[0]);
        assert!((top(1) - 1.0 / 3.0).abs() < 1e-12);
        assert!((top(2) - 2.0 / 3.0).abs() < 1e-12);
        assert!((top(3) - 2.0 / 3.0).abs() < 1e-12, "what is not a number is never right");
    }
}
