//! Losses: what training minimizes, one value for each replica.
//!
//! Formulas and names are PyTorch's (`torch.nn.functional`), with its `reduction="mean"`; Keras's names are accepted.
//! `cross_entropy` and `bce_with_logits` take logits, and stay finite however large these are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use crate::check::Invalid;
use crate::data::Target;
use crate::metrics::accuracy::Decision;
use crate::network::layer::Layer;
use crate::shape::Shape;

/// What is minimized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Mean squared error, `(y − t)²`.
    #[serde(alias = "mean_squared_error")]
    Mse,
    /// Binary cross-entropy of probabilities, `−t ln p − (1 − t) ln(1 − p)`, each logarithm at least −100.
    #[serde(alias = "binary_crossentropy", alias = "binary_cross_entropy")]
    Bce,
    /// Binary cross-entropy of logits.
    #[serde(alias = "binary_cross_entropy_with_logits")]
    BceWithLogits,
    /// Cross-entropy of logits against the number of the class, `−ln softmax(y)[t]`.
    #[serde(alias = "sparse_categorical_crossentropy", alias = "categorical_crossentropy")]
    CrossEntropy,
}

impl Loss {
    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Mse => "mse",
            Loss::Bce => "bce",
            Loss::BceWithLogits => "bce_with_logits",
            Loss::CrossEntropy => "cross_entropy",
        }
    }

    /// Checks that the loss fits the output of a network ending in `last`, and the targets.
    ///
    /// # Errors
    /// What does not fit, with a loss or a layer that would.
    pub fn check_fit(self, last: &Layer, output: &Shape, target: Target) -> Result<(), Invalid> {
        let classes = target.classes();
        let fault =
            |message: String, hint: String| Err(Invalid::new("loss", format!("does not fit: {message}")).hint(hint));
        let Some(outputs) = output.flat() else {
            let message = format!("`{}` needs a flat output, and the network's is {output}", self.name());
            return fault(message, "put `\"flatten\"` and a linear layer behind it".to_owned());
        };
        match self {
            Loss::CrossEntropy if outputs != classes => fault(
                format!(
                    "`cross_entropy` needs one output for each of {classes} classes, and the network has {outputs}"
                ),
                match (outputs, classes) {
                    (1, 2) => "use `bce_with_logits` for one output, or end with `{ linear = 2 }`".to_owned(),
                    _ => format!("end with `{{ linear = {classes} }}`"),
                },
            ),
            Loss::CrossEntropy if matches!(last, Layer::Softmax | Layer::Sigmoid) => fault(
                format!("`cross_entropy` takes logits, and the network ends in `{}`", last.kind()),
                format!("leave the last `{}` out: the loss holds it already", last.kind()),
            ),
            Loss::Bce | Loss::BceWithLogits if outputs != 1 || classes != 2 => fault(
                format!(
                    "`{}` needs one output and two classes, and there are {outputs} outputs and {classes} classes",
                    self.name()
                ),
                if classes == 2 { "end with `{ linear = 1 }`" } else { "use `cross_entropy`" }.to_owned(),
            ),
            Loss::Bce if !matches!(last, Layer::Sigmoid) => fault(
                format!("`bce` takes probabilities, and the network ends in `{}`", last.kind()),
                "end with `\"sigmoid\"`, or use `bce_with_logits`".to_owned(),
            ),
            Loss::BceWithLogits if matches!(last, Layer::Sigmoid | Layer::Softmax) => fault(
                format!("`bce_with_logits` takes logits, and the network ends in `{}`", last.kind()),
                format!("leave the last `{}` out, or use `bce`", last.kind()),
            ),
            Loss::Mse if outputs != classes && !(outputs == 1 && classes == 2) => fault(
                format!("`mse` needs one output for each of {classes} classes, and the network has {outputs}"),
                format!("end with `{{ linear = {classes} }}`, or use `cross_entropy`"),
            ),
            _ => Ok(()),
        }
    }

    /// The targets as the loss takes them.
    ///
    /// # Shapes
    /// `labels` `[rows]` int64 → `[rows]` int64 for `cross_entropy`; otherwise f32, `[rows, 1]` for one output and
    /// one-hot `[rows, outputs]` for several.
    pub fn targets(self, labels: &Tensor, outputs: usize) -> Tensor {
        match self {
            Loss::CrossEntropy => labels.shallow_clone(),
            Loss::Mse | Loss::Bce | Loss::BceWithLogits if outputs == 1 => labels.unsqueeze(-1).to_kind(Kind::Float),
            Loss::Mse | Loss::Bce | Loss::BceWithLogits => labels.one_hot(outputs as i64).to_kind(Kind::Float),
        }
    }

    /// The mean loss of each replica.
    ///
    /// # Shapes
    /// `outputs` `[replicas, batch, outputs]`, `targets` `[replicas, batch]` or `[replicas, batch, outputs]` →
    /// `[replicas]`.
    pub fn of_each_replica(self, outputs: &Tensor, targets: &Tensor) -> Tensor {
        let none = Reduction::None;
        match self {
            Loss::CrossEntropy => {
                let (logits, classes) = (outputs.flatten(0, 1), targets.flatten(0, -1));
                if outputs.size()[0] == 1 {
                    return logits
                        .cross_entropy_loss::<Tensor>(&classes, None, Reduction::Mean, -100, 0.0)
                        .unsqueeze(0);
                }
                let losses = logits.cross_entropy_loss::<Tensor>(&classes, None, none, -100, 0.0);
                losses.view_as(targets).mean_dim(1, false, None)
            }
            Loss::Mse => mean_of_rest(&outputs.mse_loss(targets, none)),
            Loss::Bce => mean_of_rest(&outputs.binary_cross_entropy::<Tensor>(targets, None, none)),
            Loss::BceWithLogits => {
                mean_of_rest(&outputs.binary_cross_entropy_with_logits::<Tensor>(targets, None, None, none))
            }
        }
    }

    /// How an output becomes a class.
    pub fn decision(self, outputs: usize) -> Decision {
        match self {
            Loss::BceWithLogits => Decision::Above(0.0),
            Loss::Mse | Loss::Bce if outputs == 1 => Decision::Above(0.5),
            _ => Decision::Largest,
        }
    }

    /// The loss of the best constant prediction for these class counts: what a network that ignores its inputs gets.
    pub fn of_constant_prediction(self, class_counts: &[usize]) -> f64 {
        let total: usize = class_counts.iter().sum();
        let shares = class_counts.iter().map(|&count| count as f64 / total.max(1) as f64);
        match self {
            Loss::CrossEntropy | Loss::Bce | Loss::BceWithLogits => {
                shares.filter(|&share| share > 0.0).map(|share| -share * share.ln()).sum()
            }
            // the mean over classes of the variance of a 0-or-1 target
            Loss::Mse => shares.map(|share| share * (1.0 - share)).sum::<f64>() / class_counts.len() as f64,
        }
    }
}

/// The mean over all dimensions but the first.
fn mean_of_rest(losses: &Tensor) -> Tensor {
    losses.flatten(1, -1).mean_dim(1, false, None)
}
