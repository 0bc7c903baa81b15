//! Losses, with one value for each replica.
//!
//! Formulas and names are those of PyTorch (`torch.nn.functional`) with `reduction="mean"`; Keras's names are accepted
//! as aliases. `cross_entropy` and `bce_with_logits` take logits, and are finite for logits of any size. A [`Loss`]
//! holds the settings; with the weights from the training rows it is a [`criterion::Criterion`].

pub mod binary;
pub mod criterion;
pub mod cross_entropy;
mod measure;
pub mod probability;
pub mod regression;
pub mod script;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::data::Target;
use crate::data::prepare::weights::Weights;
use crate::metrics::decision::Decision;
use crate::network::layer::{Layer, OutputKind};
use crate::network::torchscript::TorchScript;
use crate::tensor::shape::Shape;
use binary::BceWithLogits;
use cross_entropy::{ClassTargets, CrossEntropy, Nll};
use regression::Huber;

/// Loss function and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", from = "LossSpec")]
#[schemars(with = "LossSpec")]
pub enum Loss {
    /// Mean squared error: `(y − t)²`.
    Mse,
    /// Mean absolute error: `|y − t|`.
    Mae,
    /// Squared error for small errors, absolute error for large ones.
    Huber(Huber),
    /// Binary cross-entropy of probabilities: `−t ln p − (1 − t) ln(1 − p)`, each logarithm at least −100.
    Bce,
    /// Binary cross-entropy of logits.
    BceWithLogits(BceWithLogits),
    /// Cross-entropy of logits: `−ln softmax(y)[t]`.
    CrossEntropy(CrossEntropy),
    /// Negative log-likelihood of log-probabilities: `−y[t]`.
    Nll(Nll),
    /// A loss written in PyTorch and exported as TorchScript: the path of its file. `forward(output, target)` returns a
    /// scalar, or a value for each row.
    #[serde(rename = "torchscript")]
    TorchScript(TorchScript),
}

/// A loss by any of its names in experiment files; Keras has a separate name for one-hot targets.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LossSpec {
    #[serde(alias = "mean_squared_error")]
    Mse,
    #[serde(alias = "l1", alias = "mean_absolute_error")]
    Mae,
    Huber(Huber),
    #[serde(alias = "binary_crossentropy", alias = "binary_cross_entropy")]
    Bce,
    #[serde(alias = "binary_cross_entropy_with_logits")]
    BceWithLogits(BceWithLogits),
    #[serde(alias = "sparse_categorical_crossentropy")]
    CrossEntropy(CrossEntropy),
    CategoricalCrossentropy(CrossEntropy),
    Nll(Nll),
    /// A loss written in PyTorch and exported as TorchScript: the path of its file, relative to this file.
    #[serde(rename = "torchscript")]
    TorchScript(TorchScript),
}

impl From<LossSpec> for Loss {
    fn from(spec: LossSpec) -> Self {
        match spec {
            LossSpec::Mse => Loss::Mse,
            LossSpec::Mae => Loss::Mae,
            LossSpec::Huber(huber) => Loss::Huber(huber),
            LossSpec::Bce => Loss::Bce,
            LossSpec::BceWithLogits(settings) => Loss::BceWithLogits(settings),
            LossSpec::CrossEntropy(settings) => Loss::CrossEntropy(settings),
            LossSpec::CategoricalCrossentropy(settings) => {
                Loss::CrossEntropy(CrossEntropy { targets: ClassTargets::OneHot, ..settings })
            }
            LossSpec::Nll(settings) => Loss::Nll(settings),
            LossSpec::TorchScript(module) => Loss::TorchScript(module),
        }
    }
}

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

impl Loss {
    /// Returns the name in experiment files.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::Mse => "mse",
            Loss::Mae => "mae",
            Loss::Huber(_) => "huber",
            Loss::Bce => "bce",
            Loss::BceWithLogits(_) => "bce_with_logits",
            Loss::CrossEntropy(_) => "cross_entropy",
            Loss::Nll(_) => "nll",
            Loss::TorchScript(_) => "torchscript",
        }
    }

    /// Returns whether the positive class has a weight.
    pub fn has_pos_weight(&self) -> bool {
        matches!(self, Loss::BceWithLogits(settings) if settings.pos_weight.is_some())
    }

    /// Returns the weights of classes or of positives among the settings, if any.
    fn own_weights(&self) -> Option<&Weights> {
        match self {
            Loss::CrossEntropy(settings) => settings.class_weights.as_ref(),
            Loss::Nll(settings) => settings.class_weights.as_ref(),
            Loss::BceWithLogits(settings) => settings.pos_weight.as_ref(),
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce | Loss::TorchScript(_) => None,
        }
    }

    /// Returns the loss with fixed values for the settings that replicas of a stack have separately: label smoothing,
    /// delta, and the numbers of a list of weights.
    pub fn shared(&self) -> Loss {
        let mut loss = self.clone();
        let weights = match &mut loss {
            Loss::CrossEntropy(settings) => {
                settings.label_smoothing = 0.0;
                &mut settings.class_weights
            }
            Loss::Nll(settings) => &mut settings.class_weights,
            Loss::BceWithLogits(settings) => &mut settings.pos_weight,
            Loss::Huber(huber) => {
                *huber = Huber::default();
                &mut None
            }
            Loss::Mse | Loss::Mae | Loss::Bce | Loss::TorchScript(_) => &mut None,
        };
        if let Some(Weights::Each(weights)) = weights {
            weights.fill(1.0);
        }
        loss
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When a setting is out of range, or the number of weights differs from that of classes or labels. Keys are
    /// relative to the loss.
    pub fn check(&self, target: Target) -> Result<(), Invalid> {
        match self {
            Loss::Huber(huber) => huber.check(),
            Loss::BceWithLogits(settings) => settings.check(target),
            Loss::CrossEntropy(settings) => settings.check(target),
            Loss::Nll(settings) => settings.check(target),
            Loss::Mse | Loss::Mae | Loss::Bce | Loss::TorchScript(_) => Ok(()),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// Checks that the loss fits the target and the output of a network whose last layer is `last`, with outputs of this
    /// kind.
    ///
    /// # Errors
    /// When it does not, with a hint at a loss or a layer that does.
    pub fn check_fit(&self, last: &Layer, kind: OutputKind, output: &Shape, target: Target) -> Result<(), Invalid> {
        let name = self.name();
        let fault =
            |message: String, hint: String| Err(Invalid::new("loss", format!("does not fit: {message}")).hint(hint));
        let Some(outputs) = output.flat() else {
            let message = format!("`{name}` needs a flat output, and the network's is {output}");
            let hint = match output.dimensions().len() {
                2 => {
                    "put `\"mean_over_time\"` or `\"flatten\"` and a linear layer after it; a recurrent layer with `returns = \"last\"` returns a flat row"
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
        let fault =
            |message: String, hint: String| Err(Invalid::new("loss", format!("does not fit: {message}")).hint(hint));
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
            Loss::CrossEntropy(_)
            | Loss::BceWithLogits(_)
            | Loss::Nll(_)
            | Loss::Bce
            | Loss::Mse
            | Loss::Mae
            | Loss::Huber(_)
            | Loss::TorchScript(_) => Ok(()),
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
    /// otherwise f32, `[rows, 1]`
    /// for one output and one-hot `[rows, outputs]` for several. Labels and values stay `[rows, outputs]` f32.
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
    use super::*;
    use crate::train::TrainSpec;

    pub(super) fn read(loss: &str) -> Result<Loss, String> {
        let text = format!("epochs = 1\nbatch = 1\noptimizer = \"sgd\"\nloss = {loss}");
        toml_edit::de::from_str::<TrainSpec>(&text).map(|spec| spec.loss).map_err(|error| error.to_string())
    }

    #[test]
    fn a_loss_name_means_its_defaults() {
        assert_eq!(read("\"mse\""), Ok(Loss::Mse));
        assert_eq!(read("\"l1\""), Ok(Loss::Mae));
        assert_eq!(read("\"huber\""), Ok(Loss::Huber(Huber { delta: 1.0 })));
        assert_eq!(read("\"nll\""), Ok(Loss::Nll(Nll::default())));
        assert_eq!(read("\"binary_crossentropy\""), Ok(Loss::Bce));
        assert_eq!(read("\"bce_with_logits\""), Ok(Loss::BceWithLogits(BceWithLogits::default())));
        assert_eq!(read("\"sparse_categorical_crossentropy\""), Ok(Loss::CrossEntropy(CrossEntropy::default())));
        assert!(read("\"crossentropy\"").unwrap_err().contains("unknown variant `crossentropy`"));
    }

    #[test]
    fn settings_are_read_and_kerass_name_for_one_hot_targets_is_one_of_them() {
        let one_hot = CrossEntropy { targets: ClassTargets::OneHot, ..CrossEntropy::default() };
        assert_eq!(read("\"categorical_crossentropy\""), Ok(Loss::CrossEntropy(one_hot.clone())));
        let smoothed = "{ categorical_crossentropy = { label_smoothing = 0.1, class_weights = \"balanced\" } }";
        let wanted = CrossEntropy { label_smoothing: 0.1, class_weights: Some(Weights::Balanced), ..one_hot };
        assert_eq!(read(smoothed), Ok(Loss::CrossEntropy(wanted)));
        let weighted = |weights| Ok(Loss::BceWithLogits(BceWithLogits { pos_weight: Some(weights) }));
        assert_eq!(read("{ bce_with_logits = { pos_weight = 3 } }"), weighted(Weights::Each(vec![3.0])));
        assert_eq!(read("{ bce_with_logits = { pos_weight = [3, 0.5] } }"), weighted(Weights::Each(vec![3.0, 0.5])));
        assert!(read("{ bce_with_logits = { pos_weight = \"equal\" } }").unwrap_err().contains("balanced"));
        assert!(read("{ huber = { beta = 1.0 } }").unwrap_err().contains("unknown field `beta`"));
    }

    #[test]
    fn a_loss_reads_back_as_it_is_written_out() {
        for text in [
            "\"mae\"",
            "\"huber\"",
            "{ torchscript = \"loss.pt\" }",
            "{ cross_entropy = { targets = \"one_hot\", class_weights = [1, 2] } }",
        ] {
            let loss = read(text).unwrap();
            let spec = toml_edit::ser::ValueSerializer::new();
            let spec = serde::Serialize::serialize(&loss, spec).unwrap().to_string();
            assert_eq!(read(&spec), Ok(loss), "{spec}");
        }
    }

    #[test]
    fn weights_must_be_one_for_each_class_or_label() {
        let key = |loss: &str, target| read(loss).unwrap().check(target).map_err(|fault| fault.key);
        let three = "{ cross_entropy = { class_weights = [1, 2, 3] } }";
        assert_eq!(key(three, Target::Classes(3)), Ok(()));
        assert_eq!(key(three, Target::Classes(4)), Err("cross_entropy.class_weights".to_owned()));
        assert!(key("{ nll = { class_weights = [1, 0] } }", Target::Classes(2)).is_err());
        assert_eq!(key("{ bce_with_logits = { pos_weight = 3 } }", Target::Labels(5)), Ok(()));
        assert!(key("{ bce_with_logits = { pos_weight = [3, 4] } }", Target::Labels(5)).is_err());
        assert!(key("{ cross_entropy = { label_smoothing = 1.0 } }", Target::Classes(3)).is_err());
        assert!(key("{ huber = { delta = 0 } }", Target::Values(1)).is_err());
    }

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
