//! Losses for one class among several: cross-entropy of logits, and negative log-likelihood of log-probabilities.
//!
//! Weighted losses are divided by the sum of the weights of the batch's targets, for each replica, as PyTorch does for
//! class numbers. One-hot targets are the same targets in another form and give the same loss, so they are divided by
//! that sum too, whereas PyTorch divides by the number of rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use crate::config::check::{Invalid, below_one};
use crate::data::Target;
use crate::data::prepare::weights::{Weights, class_counts};
use crate::train::per_replica::PerReplica;

/// Cross-entropy of logits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrossEntropy {
    /// Share of the target that is spread evenly over all classes (PyTorch: `label_smoothing`).
    pub label_smoothing: f64,
    /// Weight of each class: a list in the order of the classes, or `"balanced"` for n / (classes · count) among the
    /// training rows. A class without training rows has weight 0 and is not counted among the classes.
    pub class_weights: Option<Weights>,
    /// Form of the targets.
    pub targets: ClassTargets,
}

/// Form in which the loss takes a class; the value of the loss is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassTargets {
    /// Class number.
    #[default]
    Sparse,
    /// 1 for the class and 0 for all others.
    OneHot,
}

/// Negative log-likelihood of log-probabilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nll {
    /// Weight of each class: a list in the order of the classes, or `"balanced"` for n / (classes · count) among the
    /// training rows. A class without training rows has weight 0 and is not counted among the classes.
    pub class_weights: Option<Weights>,
}

impl CrossEntropy {
    pub(super) fn check(&self, target: Target) -> Result<(), Invalid> {
        below_one("label_smoothing", self.label_smoothing)?;
        check_class_weights(self.class_weights.as_ref(), target)
    }
}

impl Nll {
    pub(super) fn check(&self, target: Target) -> Result<(), Invalid> {
        check_class_weights(self.class_weights.as_ref(), target)
    }
}

fn check_class_weights(weights: Option<&Weights>, target: Target) -> Result<(), Invalid> {
    let wanted = match target {
        Target::Classes(classes) => Some((classes, "class")),
        Target::Labels(_) | Target::Values(_) => None, // does not fit, which `check_fit` reports
    };
    let Some(Weights::Each(weights)) = weights else { return Ok(()) };
    Weights::check_each("class_weights", weights, wanted)
}

/// Returns the mean cross-entropy of each replica.
///
/// # Shapes
/// `logits` `[replicas, batch, classes]`; `targets` `[replicas, batch]`, int64, or probabilities `[replicas, batch,
/// classes]`, f32; `weights` `[replicas or 1, classes]`, `row_weights` `[replicas, batch]` → `[replicas]`.
pub(super) fn logits_loss(
    logits: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
    smoothing: &PerReplica,
) -> Tensor {
    let weights = match (combined_weights(logits, weights, row_weights), smoothing.common()) {
        (None, Some(smoothing)) => return unweighted_loss(logits, targets, smoothing),
        (weights, _) => weights,
    };
    let logarithms = logits.log_softmax(-1, None);
    let weighted = weights.as_ref().map_or_else(|| logarithms.shallow_clone(), |weights| &logarithms * weights);
    let mut likelihood = at_targets(&weighted, targets); // [replicas, batch]
    if !smoothing.is_zero() {
        likelihood = smooth(&likelihood, &weighted.mean_dim(-1, false, None), smoothing);
    }
    match weights {
        Some(weights) => -sum_of_rows(&likelihood) / sum_of_rows(&at_targets(&weights, targets)),
        None => -likelihood.mean_dim(1, false, None),
    }
}

/// Returns `values · (1 − smoothing) + means · smoothing`, `[replicas, …]`.
fn smooth(values: &Tensor, means: &Tensor, smoothing: &PerReplica) -> Tensor {
    match smoothing.column(values.kind()) {
        None => values * (1.0 - smoothing.get(0)) + means * smoothing.get(0),
        Some(smoothing) => values * (1.0 - &smoothing) + means * smoothing,
    }
}

/// Returns the unweighted loss, computed by libtorch in one operation.
fn unweighted_loss(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Tensor {
    let cross_entropy = |reduction| {
        let targets = targets.flatten(0, 1);
        logits.flatten(0, 1).cross_entropy_loss::<Tensor>(&targets, None, reduction, -100, smoothing)
    };
    match logits.size()[..] {
        [1, ..] => cross_entropy(Reduction::Mean).unsqueeze(0),
        [replicas, batch, ..] => cross_entropy(Reduction::None).view([replicas, batch]).mean_dim(1, false, None),
        _ => unreachable!("outputs have a replica and a batch dimension"),
    }
}

/// Returns the mean negative log-likelihood of each replica; shapes as for [`logits_loss`].
pub(super) fn log_probabilities_loss(
    outputs: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
) -> Tensor {
    let Some(weights) = combined_weights(outputs, weights, row_weights) else {
        return -at_targets(outputs, targets).mean_dim(1, false, None);
    };
    let weights = at_targets(&weights, targets);
    -sum_of_rows(&(at_targets(outputs, targets) * &weights)) / sum_of_rows(&weights)
}

/// Returns the weight of each class in each row, `[replicas, batch, classes]`; `None` if all are 1.
fn combined_weights(outputs: &Tensor, classes: Option<&Tensor>, rows: Option<&Tensor>) -> Option<Tensor> {
    let weights = match (classes.map(|weights| weights.unsqueeze(1)), rows.map(|weights| weights.unsqueeze(-1))) {
        (None, None) => return None,
        (Some(weights), None) | (None, Some(weights)) => weights,
        (Some(classes), Some(rows)) => classes * rows,
    };
    Some(weights.expand_as(outputs))
}

/// Returns the loss of the best constant prediction, which gives each class its (weighted, smoothed) share: `targets`
/// as in [`logits_loss`] → `[replicas]`, f64.
pub(super) fn constant_prediction_loss(
    targets: &Tensor,
    classes: usize,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
    smoothing: &PerReplica,
) -> Tensor {
    let weigh = |counts: Tensor| weights.map_or_else(|| counts.shallow_clone(), |weights| &counts * weights);
    let counts = class_counts(targets, classes, row_weights); // [replicas, classes]
    let smoothed = smooth(&counts, &counts.mean_dim(-1, true, None), smoothing);
    let (shares, total) = (weigh(smoothed), weigh(counts).sum_dim_intlist(-1, false, None));
    let probabilities = &shares / shares.sum_dim_intlist(-1, true, None);
    -shares.xlogy(&probabilities).sum_dim_intlist(-1, false, None) / total
}

/// Returns the value at each row's target, or the mean weighted by its probabilities: `[replicas, batch, classes]` →
/// `[replicas, batch]`.
fn at_targets(values: &Tensor, targets: &Tensor) -> Tensor {
    match targets.kind() {
        Kind::Int64 => values.gather(-1, &targets.unsqueeze(-1), false).squeeze_dim(-1),
        _ => (values * targets).sum_dim_intlist(-1, false, None),
    }
}

fn sum_of_rows(values: &Tensor) -> Tensor {
    values.sum_dim_intlist(1, false, None)
}
