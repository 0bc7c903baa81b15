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
        let name = self.name();
        let fault =
            |message: String, hint: String| Err(Invalid::new("loss", format!("does not fit: {message}")).hint(hint));
        let Some(outputs) = output.flat() else {
            let message = format!("`{name}` needs a flat output, and the network's is {output}");
            return fault(message, "put `\"flatten\"` and a linear layer behind it".to_owned());
        };
        let one_for_two_classes = outputs == 1 && target == Target::Classes(2);
        match (self, target) {
            (Loss::CrossEntropy, Target::Labels(_) | Target::Values(_)) => fault(
                format!("`cross_entropy` is for classes, and the target is {target}"),
                if matches!(target, Target::Labels(_)) { "use `bce_with_logits`" } else { "use `mse`" }.to_owned(),
            ),
            (Loss::Bce | Loss::BceWithLogits, Target::Values(_)) => {
                fault(format!("`{name}` is for yes or no, and the target is {target}"), "use `mse`".to_owned())
            }
            (Loss::CrossEntropy, Target::Classes(2)) if outputs == 1 => fault(
                "`cross_entropy` needs one output for each of 2 classes, and the network has 1".to_owned(),
                "use `bce_with_logits` for one output, or end with `{ linear = 2 }`".to_owned(),
            ),
            (Loss::Bce | Loss::BceWithLogits, Target::Classes(_)) if !one_for_two_classes => fault(
                format!("`{name}` needs one output and two classes, and there are {outputs} outputs and {target}"),
                if target.outputs() == 2 { "end with `{ linear = 1 }`" } else { "use `cross_entropy`" }.to_owned(),
            ),
            _ if outputs != target.outputs() && !one_for_two_classes => fault(
                format!("`{name}` needs {} outputs for {target}, and the network has {outputs}", target.outputs()),
                format!("end with `{{ linear = {} }}`", target.outputs()),
            ),
            (Loss::CrossEntropy | Loss::BceWithLogits, _) if matches!(last, Layer::Softmax | Layer::Sigmoid) => fault(
                format!("`{name}` takes logits, and the network ends in `{}`", last.kind()),
                match self {
                    Loss::BceWithLogits => format!("leave the last `{}` out, or use `bce`", last.kind()),
                    _ => format!("leave the last `{}` out: the loss holds it already", last.kind()),
                },
            ),
            (Loss::Bce, _) if !matches!(last, Layer::Sigmoid) => fault(
                format!("`bce` takes probabilities, and the network ends in `{}`", last.kind()),
                "end with `\"sigmoid\"`, or use `bce_with_logits`".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// The targets as the loss takes them.
    ///
    /// # Shapes
    /// `targets` `[rows]` int64 for classes → `[rows]` int64 for `cross_entropy`; otherwise f32, `[rows, 1]` for one
    /// output and one-hot `[rows, outputs]` for several. Labels and values stay `[rows, outputs]` f32.
    pub fn targets(self, targets: &Tensor, outputs: usize) -> Tensor {
        match self {
            _ if targets.kind() != Kind::Int64 => targets.shallow_clone(),
            Loss::CrossEntropy => targets.shallow_clone(),
            Loss::Mse | Loss::Bce | Loss::BceWithLogits if outputs == 1 => targets.unsqueeze(-1).to_kind(Kind::Float),
            Loss::Mse | Loss::Bce | Loss::BceWithLogits => targets.one_hot(outputs as i64).to_kind(Kind::Float),
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

    /// How an output becomes a prediction.
    pub fn decision(self, outputs: usize, target: Target) -> Decision {
        let threshold = if self == Loss::BceWithLogits { 0.0 } else { 0.5 };
        match target {
            Target::Values(_) => Decision::Value,
            Target::Labels(_) => Decision::EachAbove(threshold),
            Target::Classes(_) if outputs == 1 => Decision::Above(threshold),
            Target::Classes(_) => Decision::Largest,
        }
    }

    /// The loss of the best constant prediction of these targets (as the loss takes them): what a network that ignores
    /// its inputs gets.
    pub fn of_constant_prediction(self, targets: &Tensor, outputs: usize) -> f64 {
        let entropy = |shares: Tensor| -> f64 { -(shares.xlogy(&shares)).sum(Kind::Double).double_value(&[]) };
        match self {
            Loss::CrossEntropy => {
                let counts = targets.bincount::<Tensor>(None, outputs as i64).to_kind(Kind::Double);
                entropy(&counts / counts.sum(Kind::Double))
            }
            Loss::Bce | Loss::BceWithLogits => {
                let yes = targets.to_kind(Kind::Double).mean_dim(0, false, None); // [outputs]
                (entropy(yes.copy()) + entropy(1.0 - &yes)) / outputs as f64
            }
            Loss::Mse => {
                let targets = targets.to_kind(Kind::Double);
                let mean = targets.mean_dim(0, true, None);
                (targets - mean).square().mean(Kind::Double).double_value(&[])
            }
        }
    }
}

/// The mean over all dimensions but the first.
fn mean_of_rest(losses: &Tensor) -> Tensor {
    losses.flatten(1, -1).mean_dim(1, false, None)
}
