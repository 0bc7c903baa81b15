//! Losses of one class among several: cross-entropy of logits, and negative log-likelihood of log-probabilities.
//!
//! Weighted losses are divided by the sum of the weights of the batch's targets, in each replica by itself, as PyTorch
//! does for class numbers. One-hot targets are the same targets in another form, and give the same figures; so they
//! too are divided by that sum, where PyTorch divides weighted probabilities by the number of rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use crate::config::check::{Invalid, below_one};
use crate::data::Target;
use crate::data::prepare::weights::{Weights, class_counts};

/// Cross-entropy of logits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrossEntropy {
    /// The share of the target that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// The weight of each class: a list in the order of the classes, or `"balanced"` for n / (classes · count) among the
    /// training rows; a class without one weighs nothing, and is not among these classes.
    pub class_weights: Option<Weights>,
    /// The form of the targets.
    pub targets: ClassTargets,
}

/// The form in which a class is given to the loss; the loss is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassTargets {
    /// Its number.
    #[default]
    Sparse,
    /// A 1 in its place, and 0 in all others.
    OneHot,
}

/// Negative log-likelihood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nll {
    /// The weight of each class: a list in the order of the classes, or `"balanced"` for n / (classes · count) among the
    /// training rows; a class without one weighs nothing, and is not among these classes.
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
        Target::Labels(_) | Target::Values(_) => None, // does not fit, and is refused as such
    };
    match weights {
        Some(Weights::Each(weights)) => Weights::check_each("class_weights", weights, wanted),
        Some(Weights::Balanced) | None => Ok(()),
    }
}

/// The mean cross-entropy of each replica.
///
/// # Shapes
/// `logits` `[replicas, batch, classes]`; `targets` `[replicas, batch]`, int64, or probabilities `[replicas, batch,
/// classes]`, f32; `weights` `[replicas or 1, classes]`, `row_weights` `[replicas, batch]` → `[replicas]`.
pub(super) fn of_logits(
    logits: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
    smoothing: f64,
) -> Tensor {
    let Some(weights) = of_rows_and_classes(logits, weights, row_weights) else {
        return unweighted(logits, targets, smoothing);
    };
    let weighted = logits.log_softmax(-1, None) * &weights; // [replicas, batch, classes]
    let mut likelihood = at_targets(&weighted, targets);
    if smoothing > 0.0 {
        likelihood = likelihood * (1.0 - smoothing) + weighted.mean_dim(-1, false, None) * smoothing;
    }
    -sum_of_rows(&likelihood) / sum_of_rows(&at_targets(&weights, targets))
}

/// libtorch's own, in one operation.
fn unweighted(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Tensor {
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

/// The mean negative log-likelihood of each replica; shapes as for [`of_logits`].
pub(super) fn of_log_probabilities(
    outputs: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
) -> Tensor {
    let Some(weights) = of_rows_and_classes(outputs, weights, row_weights) else {
        return -at_targets(outputs, targets).mean_dim(1, false, None);
    };
    let weights = at_targets(&weights, targets);
    -sum_of_rows(&(at_targets(outputs, targets) * &weights)) / sum_of_rows(&weights)
}

/// What each class counts in each row, `[replicas, batch, classes]`; `None` where all count the same.
fn of_rows_and_classes(outputs: &Tensor, classes: Option<&Tensor>, rows: Option<&Tensor>) -> Option<Tensor> {
    let weights = match (classes.map(|weights| weights.unsqueeze(1)), rows.map(|weights| weights.unsqueeze(-1))) {
        (None, None) => return None,
        (Some(weights), None) | (None, Some(weights)) => weights,
        (Some(classes), Some(rows)) => classes * rows,
    };
    Some(weights.expand_as(outputs))
}

/// What the best constant prediction costs, one that gives each class its (weighted, smoothed) share: `targets` as in
/// [`of_logits`] → `[replicas]`, f64.
pub(super) fn of_constant_prediction(
    targets: &Tensor,
    classes: usize,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
    smoothing: f64,
) -> Tensor {
    let weigh = |counts: Tensor| weights.map_or_else(|| counts.shallow_clone(), |weights| &counts * weights);
    let counts = class_counts(targets, classes, row_weights); // [replicas, classes]
    let smoothed = &counts * (1.0 - smoothing) + counts.mean_dim(-1, true, None) * smoothing;
    let (shares, total) = (weigh(smoothed), weigh(counts).sum_dim_intlist(-1, false, None));
    let probabilities = &shares / shares.sum_dim_intlist(-1, true, None);
    -shares.xlogy(&probabilities).sum_dim_intlist(-1, false, None) / total
}

/// The value at each row's target, or the average by its probabilities: `[replicas, batch, classes]` → `[replicas,
/// batch]`.
fn at_targets(values: &Tensor, targets: &Tensor) -> Tensor {
    match targets.kind() {
        Kind::Int64 => values.gather(-1, &targets.unsqueeze(-1), false).squeeze_dim(-1),
        _ => (values * targets).sum_dim_intlist(-1, false, None),
    }
}

fn sum_of_rows(values: &Tensor) -> Tensor {
    values.sum_dim_intlist(1, false, None)
}
