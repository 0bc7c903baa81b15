//! Settings of a decision tree, with scikit-learn's names, defaults and meanings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, require};
use crate::config::shorthand::any_or_none;
use crate::data::Target;
use crate::data::prepare::weights::Weights;
use crate::metrics::{self, Metric};
use crate::network::torchscript::TorchScript;

use super::impurity::Impurity;

/// Maximum value of `max_depth`; deeper trees do not occur in practice.
const MAX_DEPTH: usize = u16::MAX as usize - 1;

/// `[tree]`: a decision tree classifier (CART).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TreeSpec {
    /// Impurity measure that splits reduce.
    pub criterion: Impurity,
    /// Maximum depth of the tree. Without it, the tree grows until its leaves are pure or have too few rows to split.
    #[serde(deserialize_with = "any_or_none")]
    pub max_depth: Option<usize>,
    /// Minimum number of training rows in a leaf.
    pub min_samples_leaf: usize,
    /// Minimum number of training rows that a node needs to be split.
    pub min_samples_split: usize,
    /// Weight of each class, or `"balanced"` (scikit-learn: `class_weight`). Weights apply to impurities and to the
    /// class shares of a leaf; `min_samples_leaf` and `min_samples_split` count rows.
    #[serde(deserialize_with = "any_or_none")]
    pub class_weights: Option<Weights>,
    /// Metrics to compute. By default those of `[train]`, if the file has it, `acc`, `precision`, `recall`, `f1`, `mcc` and
    /// `balanced_acc`; of two classes also `roc_auc` and `ap`.
    #[serde(deserialize_with = "metrics::list_or_none")]
    pub metrics: Option<Vec<Metric>>,
}

impl Default for TreeSpec {
    fn default() -> Self {
        TreeSpec {
            criterion: Impurity::Gini,
            max_depth: None,
            min_samples_leaf: 1,
            min_samples_split: 2,
            class_weights: None,
            metrics: None,
        }
    }
}

impl TreeSpec {
    /// Checks the settings against the target.
    ///
    /// # Errors
    /// When the target is not a class, a number is out of range, or the weights do not fit the classes. Keys are
    /// relative to `tree`.
    pub fn check(&self, target: Target) -> Result<(), Invalid> {
        let Target::Classes(classes) = target else {
            let message = format!("predicts classes, but the target is {target}");
            return Err(Invalid::new("", message)
                .hint("train a network, or set `task = \"classes\"` if the numbers of the table are class labels"));
        };
        if let Some(deepest) = self.max_depth {
            let wanted = format!("must be between 1 and {MAX_DEPTH}");
            require((1..=MAX_DEPTH).contains(&deepest), "max_depth", &wanted, deepest)
                .map_err(|fault| fault.hint("leave it out to grow the tree until its leaves are pure"))?;
        }
        at_least_one("min_samples_leaf", self.min_samples_leaf)?;
        require(self.min_samples_split >= 2, "min_samples_split", "must be at least 2", self.min_samples_split)?;
        metrics::check(&self.metrics(), target)?;
        match &self.class_weights {
            Some(Weights::Each(weights)) => Weights::check_each("class_weights", weights, Some((classes, "class"))),
            Some(Weights::Balanced) | None => Ok(()),
        }
    }

    /// Returns the TorchScript modules of the metrics, each with its key relative to `tree`.
    pub fn modules_mut(&mut self) -> Vec<(String, &mut TorchScript)> {
        metrics::modules_mut(&mut self.metrics).collect()
    }

    /// Returns the metrics to compute.
    pub fn metrics(&self) -> Vec<Metric> {
        let usual = || vec![Metric::Acc, Metric::Precision, Metric::Recall, Metric::F1];
        self.metrics.clone().unwrap_or_else(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TreeSpec, String> {
        toml_edit::de::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn defaults_are_scikit_learns_and_settings_read_back_as_they_are_written() {
        let spec = read("").unwrap();
        assert_eq!(spec, TreeSpec::default());
        assert_eq!((spec.criterion, spec.max_depth), (Impurity::Gini, None));
        assert_eq!((spec.min_samples_leaf, spec.min_samples_split), (1, 2));
        for text in
            ["", "criterion = \"entropy\"\nmax_depth = 3", "class_weights = \"balanced\"", "class_weights = [1, 2]"]
        {
            let spec = read(text).unwrap();
            assert_eq!(read(&toml_edit::ser::to_string(&spec).unwrap()), Ok(spec));
        }
        assert!(read("depth = 3").unwrap_err().contains("unknown field `depth`"));
    }

    #[test]
    fn a_setting_that_cannot_be_is_named() {
        let fault = |text: &str, target| read(text).unwrap().check(target).unwrap_err().to_string();
        let two = Target::Classes(2);
        assert_eq!(fault("max_depth = 0", two), "`max_depth` must be between 1 and 65534, found 0");
        assert_eq!(fault("max_depth = 65535", two), "`max_depth` must be between 1 and 65534, found 65535");
        assert_eq!(fault("min_samples_leaf = 0", two), "`min_samples_leaf` must be at least 1, found 0");
        assert_eq!(fault("min_samples_split = 1", two), "`min_samples_split` must be at least 2, found 1");
        let weights = fault("class_weights = [1, 2, 3]", two);
        assert_eq!(weights, "`class_weights` must have 2 weights, one for each class, found 3");
        assert!(fault("class_weights = [1, 0]", two).contains("greater than 0"));
        let values = TreeSpec::default().check(Target::Values(3)).unwrap_err().under("tree").to_string();
        assert_eq!(values, "`tree` predicts classes, but the target is 3 numbers");
        assert_eq!(TreeSpec::default().check(two), Ok(()));
    }
}
