//! Losses for binary targets: two classes with one output, or labels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::data::Target;
use crate::data::prepare::weights::Weights;

/// Binary cross-entropy of logits: `−w t ln σ(y) − (1 − t) ln(1 − σ(y))`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BceWithLogits {
    /// Weight `w` of the positive class (of two) or of positive labels: one number, one for each label, or `"balanced"`
    /// for negatives / positives among the training rows.
    pub pos_weight: Option<Weights>,
}

impl BceWithLogits {
    pub(super) fn check(&self, target: Target) -> Result<(), Invalid> {
        let labels = match target {
            Target::Labels(labels) => Some(labels),
            Target::Classes(2) => Some(1),
            Target::Classes(_) | Target::Values(_) => None, // does not fit, which `check_fit` reports
        };
        let Some(Weights::Each(weights)) = &self.pos_weight else { return Ok(()) };
        let wanted = labels.filter(|_| weights.len() != 1).map(|labels| (labels, "label"));
        Weights::check_each("pos_weight", weights, wanted)
    }
}

/// Returns the loss of the best constant prediction.
///
/// # Shapes
/// `targets` `[replicas, rows, labels]`, `weights` `[replicas or 1, labels]`, `row_weights` `[replicas, rows]` →
/// `[replicas]`, f64.
pub(super) fn constant_prediction_loss(
    targets: &Tensor,
    weights: Option<&Tensor>,
    row_weights: Option<&Tensor>,
) -> Tensor {
    let share = match row_weights {
        None => targets.mean_dim(1, false, Kind::Double), // [replicas, labels]
        Some(weights) => {
            let weighed = (targets * weights.unsqueeze(-1)).sum_dim_intlist(1, false, Kind::Double);
            weighed / weights.sum_dim_intlist(1, true, Kind::Double)
        }
    };
    let no = 1.0 - &share;
    let yes = weights.map_or_else(|| share.shallow_clone(), |weights| &share * weights);
    let both = &yes + &no;
    let loss = -(yes.xlogy(&(&yes / &both)) + no.xlogy(&(&no / &both)));
    loss.mean_dim(1, false, None)
}
