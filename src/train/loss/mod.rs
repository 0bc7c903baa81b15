//! Losses, with one value for each replica.
//!
//! Formulas and names are those of PyTorch (`torch.nn.functional`) with `reduction="mean"`; Keras's names are accepted
//! as aliases. `cross_entropy` and `bce_with_logits` take logits, and are finite for logits of any size. A [`Loss`]
//! holds the settings; with the weights from the training rows it is a [`criterion::Criterion`].

pub mod binary;
pub mod criterion;
pub mod cross_entropy;
mod measure;
mod outputs;
pub mod probability;
pub mod regression;
pub mod script;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::Target;
use crate::data::prepare::weights::Weights;
use crate::network::torchscript::TorchScript;
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
}
