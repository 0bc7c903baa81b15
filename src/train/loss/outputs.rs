//! The outputs and targets that a loss takes: whether it fits a network and its target, targets in its form, and what an
//! output predicts.

use tch::{Kind, Tensor};

use super::Loss;
use super::cross_entropy::ClassTargets;
use crate::config::check::Invalid;
use crate::data::Target;
use crate::metrics::decision::Decision;
use crate::network::layer::{Layer, OutputKind};
use crate::tensor::shape::Shape;

/// Targets that a loss is for.
#[derive(Clone, Copy)]
enum Task {
    /// Classes, with one output for each.
    Classes,
    /// Two classes with one output, or labels with one output for each.
    YesOrNo,
    /// Classes, labels or numbers.
    Any,
}

/// Returns the error of a loss that does not fit.
fn fault(message: String, hint: String) -> Result<(), Invalid> {
    Err(Invalid::new("loss", format!("does not fit: {message}")).hint(hint))
}

impl Loss {
    /// Checks that the loss fits the target and the output of a network whose last layer is `last`, with outputs of this
    /// kind.
    ///
    /// # Errors
    /// When it does not, with a hint at a loss or a layer that does.
    pub fn check_fit(&self, last: &Layer, kind: OutputKind, output: &Shape, target: Target) -> Result<(), Invalid> {
        let name = self.name();
        let Some(outputs) = output.flat() else {
            let message = format!("`{name}` needs a flat output, and the network's is {output}");
            let hint = match output.dimensions().len() {
                2 => {
                    "end the network with `\"mean_over_time\"` or `\"flatten\"`, and a linear layer; or set `returns = \"last\"` in the recurrent layer"
                }
                _ => "put `\"flatten\"` and a linear layer after it",
            };
            return fault(message, hint.to_owned());
        };
        let one_for_two_classes = outputs == 1 && target == Target::Classes(2);
        let end_with = |outputs: usize| match last {
            Layer::TorchScript(_) => {
                format!("return {outputs} value{} for each row", if outputs == 1 { "" } else { "s" })
            }
            _ => format!("end with `{{ linear = {outputs} }}`"),
        };
        match (self.task(), target) {
            (Task::Classes, Target::Labels(_) | Target::Values(_)) => fault(
                format!("`{name}` is for classes, and the target is {target}"),
                if matches!(target, Target::Labels(_)) { "use `bce_with_logits`" } else { "use `mse`" }.to_owned(),
            ),
            (Task::YesOrNo, Target::Values(_)) => {
                fault(format!("`{name}` is for yes or no, and the target is {target}"), "use `mse`".to_owned())
            }
            (Task::Classes, Target::Classes(2)) if outputs == 1 => fault(
                format!("`{name}` needs one output for each of 2 classes, and the network has 1"),
                format!("use `bce_with_logits` for one output, or {}", end_with(2)),
            ),
            (Task::YesOrNo, Target::Classes(_)) if !one_for_two_classes => fault(
                format!("`{name}` needs one output and two classes, and there are {outputs} outputs and {target}"),
                match target.outputs() {
                    2 => format!("{}, and use `bce_with_logits`", end_with(1)),
                    _ => "use `cross_entropy`".to_owned(),
                },
            ),
            (Task::Classes | Task::YesOrNo | Task::Any, _) if outputs != target.outputs() && !one_for_two_classes => {
                fault(
                    format!("`{name}` needs {} outputs for {target}, and the network has {outputs}", target.outputs()),
                    end_with(target.outputs()),
                )
            }
            (Task::Classes | Task::YesOrNo | Task::Any, _) => self.check_last(last, kind),
        }
    }

    /// Returns the targets that the loss is for.
    fn task(&self) -> Task {
        match self {
            Loss::CrossEntropy(_) | Loss::Nll(_) => Task::Classes,
            Loss::Bce | Loss::BceWithLogits(_) => Task::YesOrNo,
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::TorchScript(_) => Task::Any,
        }
    }

    /// Checks that the loss takes the output of `last`, the network's last layer. What a module returns is only found in
    /// trial runs, so that its probabilities are no error for losses of logits; see [`Loss::note_about_logits`].
    fn check_last(&self, last: &Layer, output_kind: OutputKind) -> Result<(), Invalid> {
        let (name, kind) = (self.name(), last.kind());
        let is_module = matches!(last, Layer::TorchScript(_));
        let is_made_of_layers = matches!(last, Layer::Residual(_) | Layer::Repeat(_) | Layer::Parallel(_));
        let ends_in_probabilities =
            !is_module && matches!(output_kind, OutputKind::Probabilities | OutputKind::Distribution);
        match self {
            Loss::CrossEntropy(_) if ends_in_probabilities => fault(
                format!("`{name}` takes logits, and the network ends in `{kind}`"),
                format!("leave the last `{kind}` out: the loss already applies it"),
            ),
            Loss::BceWithLogits(_) if ends_in_probabilities => fault(
                format!("`{name}` takes logits, and the network ends in `{kind}`"),
                format!("leave the last `{kind}` out, or use `bce`"),
            ),
            Loss::Nll(_) if ends_in_probabilities => fault(
                format!("`nll` takes logarithms of probabilities, and the network ends in `{kind}`"),
                format!("use `cross_entropy`, and leave the last `{kind}` out"),
            ),
            Loss::Nll(_) if !is_module && !is_made_of_layers && output_kind != OutputKind::LogDistribution => fault(
                format!("`nll` takes logarithms of probabilities, and the network ends in `{kind}`"),
                "end with `\"log_softmax\"`, or use `cross_entropy`, which takes logits".to_owned(),
            ),
            Loss::Bce if is_module && output_kind != OutputKind::Probabilities => fault(
                "`bce` takes probabilities, but outputs of the module are below 0, above 1 or all equal".to_owned(),
                "return `torch.sigmoid(…)`, or use `bce_with_logits`".to_owned(),
            ),
            Loss::Bce if output_kind != OutputKind::Probabilities => fault(
                format!("`bce` takes probabilities, and the network ends in `{kind}`"),
                "end with `\"sigmoid\"`, or use `bce_with_logits`".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// Returns a note if the loss takes logits or log-probabilities, but the outputs are of another kind.
    pub fn note_about_logits(&self, kind: OutputKind) -> Option<String> {
        let ends_in = match kind {
            OutputKind::Values if matches!(self, Loss::Nll(_)) => {
                let found = "`nll` takes logarithms of probabilities, but the network returns other values";
                return Some(format!("{found}: end it with `log_softmax`, or use `cross_entropy`, which takes logits"));
            }
            OutputKind::Values | OutputKind::LogDistribution => return None,
            OutputKind::Probabilities => "sigmoid",
            OutputKind::Distribution => "softmax",
        };
        let takes = match self {
            Loss::CrossEntropy(_) | Loss::BceWithLogits(_) => "logits",
            Loss::Nll(_) => "logarithms of probabilities",
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce | Loss::TorchScript(_) => return None,
        };
        let name = self.name();
        Some(format!("`{name}` takes {takes}, but the network returns probabilities: remove its last {ends_in}"))
    }

    /// Returns targets in the form that the loss takes.
    ///
    /// # Shapes
    /// `targets` `[rows]` int64 for classes → the same for `nll`, sparse `cross_entropy` and losses written in PyTorch;
    /// otherwise f32, `[rows, 1]` for one output and one-hot `[rows, outputs]` for several. Labels and values stay `[rows,
    /// outputs]` f32.
    pub fn targets(&self, targets: &Tensor, outputs: usize) -> Tensor {
        let takes_class_numbers = match self {
            Loss::Nll(_) | Loss::TorchScript(_) => true,
            Loss::CrossEntropy(settings) => settings.targets == ClassTargets::Sparse,
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce | Loss::BceWithLogits(_) => false,
        };
        match outputs {
            _ if targets.kind() != Kind::Int64 || takes_class_numbers => targets.shallow_clone(),
            1 => targets.unsqueeze(-1).to_kind(Kind::Float),
            _ => targets.one_hot(outputs as i64).to_kind(Kind::Float),
        }
    }

    /// Returns how an output of a network with outputs of this kind becomes a prediction.
    pub fn decision(&self, kind: OutputKind, outputs: usize, target: Target) -> Decision {
        let threshold = match self {
            Loss::BceWithLogits(_) => 0.0, // a logit
            Loss::TorchScript(_) if matches!(kind, OutputKind::Values | OutputKind::LogDistribution) => 0.0,
            Loss::TorchScript(_) => 0.5,
            Loss::Bce | Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::CrossEntropy(_) | Loss::Nll(_) => 0.5,
        };
        match target {
            Target::Values(_) => Decision::Value,
            Target::Labels(_) => Decision::EachAbove(threshold),
            Target::Classes(_) if outputs == 1 => Decision::Above(threshold),
            Target::Classes(_) => Decision::Largest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn check_fit_suggests_a_loss_that_fits() {
        let hint = |loss: &str, last: Layer, outputs: i64, target| {
            let fault = read(loss).unwrap().check_fit(
                &last,
                last.spec().output_kind(&Shape::from([outputs])),
                &Shape::from([outputs]),
                target,
            );
            fault.map_err(|fault| fault.hint.unwrap())
        };
        assert_eq!(hint("\"nll\"", Layer::LogSoftmax, 3, Target::Classes(3)), Ok(()));
        let fault = hint("\"nll\"", Layer::Relu, 3, Target::Classes(3)).unwrap_err();
        assert!(fault.starts_with("end with `\"log_softmax\"`"), "{fault}");
        let fault = hint("\"nll\"", Layer::Softmax, 3, Target::Classes(3)).unwrap_err();
        assert!(fault.contains("`cross_entropy`"), "{fault}");
        assert!(hint("\"nll\"", Layer::Relu, 3, Target::Labels(3)).unwrap_err().contains("`bce_with_logits`"));
        assert!(hint("\"cross_entropy\"", Layer::Relu, 1, Target::Values(1)).unwrap_err().contains("`mse`"));
        assert_eq!(hint("\"bce\"", Layer::Sigmoid, 3, Target::Labels(3)), Ok(()));
        assert_eq!(hint("\"mae\"", Layer::Relu, 1, Target::Values(1)), Ok(()));
    }
}
