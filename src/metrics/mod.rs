//! Metrics: values such as accuracy that are reported beside the loss.
//!
//! A metric is computed after each epoch from the outputs for all rows, for every replica at once. Each metric knows
//! its name, whether higher is better, and the targets it supports. To add one, add a file to this folder and the match
//! arms that the compiler then asks for.

pub mod accuracy;
pub mod average_precision;
pub mod balanced_accuracy;
pub mod confusion;
pub mod curves;
pub mod decision;
pub mod matthews;
pub mod precision_recall;
pub mod ranking;
pub mod regression;
pub mod report;
pub mod roc_auc;
pub mod score;
pub mod threshold;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::shorthand::{named_list, number_or_table};
use crate::data::target::Target;
use accuracy::TopK;
use decision::Decision;
use precision_recall::Counts;
use regression::Errors;

/// Metric of a model on a set of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of rows (or of labels, for multi-label targets) that are predicted right.
    #[serde(alias = "accuracy", alias = "accuracy_score", alias = "binary_accuracy")]
    #[serde(alias = "categorical_accuracy", alias = "sparse_categorical_accuracy")]
    Acc,
    /// The share of rows whose class is among the `k` largest outputs.
    #[serde(alias = "top_k_accuracy_score", alias = "top_k_categorical_accuracy")]
    #[serde(alias = "sparse_top_k_categorical_accuracy", deserialize_with = "number_or_table")]
    TopK(TopK),
    /// The share of rows predicted as the positive class that belong to it; with more than two classes, the macro
    /// average.
    #[serde(alias = "precision_score")]
    Precision,
    /// The share of rows of the positive class that are predicted as it; with more than two classes, the macro average.
    #[serde(alias = "recall_score")]
    Recall,
    /// The harmonic mean of precision and recall; with more than two classes, the macro average.
    #[serde(alias = "f1_score")]
    F1,
    /// The area under the ROC curve.
    #[serde(alias = "auc", alias = "roc_auc_score")]
    RocAuc,
    /// The average precision: the area under the precision–recall curve, as a step function.
    #[serde(alias = "average_precision", alias = "average_precision_score")]
    Ap,
    /// The Matthews correlation coefficient.
    #[serde(alias = "matthews_corrcoef")]
    Mcc,
    /// The mean recall of all classes.
    #[serde(alias = "balanced_accuracy", alias = "balanced_accuracy_score")]
    BalancedAcc,
    /// The mean error, prediction minus target.
    #[serde(alias = "mean_error")]
    Me,
    /// The mean absolute error.
    #[serde(alias = "mean_absolute_error")]
    Mae,
    /// The mean squared error.
    #[serde(alias = "mean_squared_error")]
    Mse,
    /// The root mean squared error.
    #[serde(alias = "root_mean_squared_error")]
    Rmse,
    /// The mean absolute percentage error, as a fraction: 0.1 is 10 %.
    #[serde(alias = "mean_absolute_percentage_error")]
    Mape,
    /// The coefficient of determination, R².
    #[serde(alias = "r2_score")]
    R2,
}

impl Metric {
    /// All metrics, `top_k` with its default.
    pub const ALL: [Metric; 15] = [
        Metric::Acc,
        Metric::TopK(TopK { k: 5 }),
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
        Metric::RocAuc,
        Metric::Ap,
        Metric::Mcc,
        Metric::BalancedAcc,
        Metric::Me,
        Metric::Mae,
        Metric::Mse,
        Metric::Rmse,
        Metric::Mape,
        Metric::R2,
    ];

    /// Returns the metrics that a run computes by default.
    pub fn defaults(target: Target) -> Vec<Metric> {
        match target {
            Target::Classes(_) | Target::Labels(_) => vec![Metric::Acc],
            Target::Values(_) => vec![Metric::Mae],
        }
    }

    /// Returns the metrics that are always computed on the test rows, chosen to suit rare classes. `classes` is the
    /// number of classes, `None` for multi-label and numeric targets, for which the list is empty.
    pub fn of_tests(classes: Option<usize>) -> &'static [Metric] {
        match classes {
            None => &[],
            Some(2) => &[Metric::Mcc, Metric::BalancedAcc, Metric::RocAuc, Metric::Ap],
            Some(_) => &[Metric::Mcc, Metric::BalancedAcc],
        }
    }

    /// Returns the name in histories; validation metrics add the prefix `val_`.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Metric::TopK(TopK { k }) => return Cow::Owned(format!("top_{k}")),
            Metric::Acc => "acc",
            Metric::Precision => "precision",
            Metric::Recall => "recall",
            Metric::F1 => "f1",
            Metric::RocAuc => "roc_auc",
            Metric::Ap => "ap",
            Metric::Mcc => "mcc",
            Metric::BalancedAcc => "balanced_acc",
            Metric::Me => "me",
            Metric::Mae => "mae",
            Metric::Mse => "mse",
            Metric::Rmse => "rmse",
            Metric::Mape => "mape",
            Metric::R2 => "r2",
        })
    }

    /// Returns whether higher is better; `None` if neither direction is.
    pub fn higher_is_better(self) -> Option<bool> {
        match self {
            Metric::Acc | Metric::TopK(_) | Metric::Precision | Metric::Recall | Metric::F1 => Some(true),
            Metric::RocAuc | Metric::Ap | Metric::Mcc | Metric::BalancedAcc => Some(true),
            Metric::R2 => Some(true),
            Metric::Mae | Metric::Mse | Metric::Rmse | Metric::Mape => Some(false),
            Metric::Me => None,
        }
    }

    /// Returns whether the metric is about the positive class of two classes.
    pub fn is_of_the_positive_class(self) -> bool {
        match self {
            Metric::Precision | Metric::Recall | Metric::F1 | Metric::RocAuc | Metric::Ap => true,
            Metric::Acc | Metric::TopK(_) | Metric::Mcc | Metric::BalancedAcc => false,
            Metric::Me | Metric::Mae | Metric::Mse | Metric::Rmse | Metric::Mape | Metric::R2 => false,
        }
    }

    /// Returns the targets that the metric supports, in words.
    fn purpose(self) -> String {
        match self {
            Metric::Acc | Metric::Precision | Metric::Recall | Metric::F1 => "classes".to_owned(),
            Metric::Mcc | Metric::BalancedAcc => "classes that exclude each other".to_owned(),
            Metric::TopK(TopK { k }) => format!("more than {} classes", k.max(2)),
            Metric::RocAuc | Metric::Ap => "2 classes, or for yes-or-no labels".to_owned(),
            Metric::Me | Metric::Mae | Metric::Mse | Metric::Rmse | Metric::Mape | Metric::R2 => "numbers".to_owned(),
        }
    }

    fn fits(self, target: Target) -> bool {
        match (self, target) {
            (Metric::Acc | Metric::Precision | Metric::Recall | Metric::F1, target) => {
                matches!(target, Target::Classes(_) | Target::Labels(_))
            }
            // With k classes or fewer, every row's class is among the k largest outputs.
            (Metric::TopK(TopK { k }), target) => matches!(target, Target::Classes(classes) if classes > k.max(2)),
            (Metric::RocAuc | Metric::Ap, target) => matches!(target, Target::Classes(2) | Target::Labels(_)),
            (Metric::Mcc | Metric::BalancedAcc, target) => matches!(target, Target::Classes(_)),
            (Metric::Me | Metric::Mae | Metric::Mse | Metric::Rmse | Metric::Mape | Metric::R2, target) => {
                matches!(target, Target::Values(_))
            }
        }
    }

    /// Checks that the metric supports the target.
    ///
    /// # Errors
    /// When it does not. The message names the supported targets; the hint lists the metrics for this target.
    pub fn check_fit(self, target: Target) -> Result<(), Invalid> {
        if let Metric::TopK(TopK { k: 0 }) = self {
            return Err(Invalid::new("metrics", "holds `top_k` with k = 0: it must be at least 1"));
        }
        if self.fits(target) {
            return Ok(());
        }
        let fitting = Metric::ALL.iter().filter(|metric| metric.fits(target));
        let names: Vec<String> = fitting
            .map(|metric| match metric {
                Metric::TopK(TopK { k }) => format!("`{{ top_k = {k} }}`"),
                _ => format!("`{}`", metric.name()),
            })
            .collect();
        let (name, purpose) = (self.name(), self.purpose());
        let message = format!("holds `{name}`, which is for {purpose}, and the target is {target}");
        Err(Invalid::new("metrics", message).hint(format!("for {target} there are {}", names.join(", "))))
    }

    /// Returns the metric of each replica. `positive` is the positive class (of two) for precision, recall, F1, ROC AUC
    /// and average precision.
    ///
    /// # Shapes
    /// `outputs` `[replicas, rows, outputs]`; `truth` `[replicas, rows]` int64 for classes, otherwise `[replicas, rows,
    /// outputs]` f32 → `[replicas]`, f64, on the same device, NaN where undefined.
    pub fn of_each_replica(self, outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> Tensor {
        let counts = || Counts::new(outputs, truth, decision, positive);
        let errors = || Errors::new(outputs, truth);
        match self {
            Metric::Acc => accuracy::of_each_replica(outputs, truth, decision),
            Metric::TopK(TopK { k }) => accuracy::top_k(outputs, truth, k),
            Metric::Precision => counts().precision(),
            Metric::Recall => counts().recall(),
            Metric::F1 => counts().f1(),
            Metric::RocAuc => roc_auc::of_each_replica(outputs, truth, decision, positive),
            Metric::Ap => average_precision::of_each_replica(outputs, truth, decision, positive),
            Metric::Mcc => matthews::of_each_replica(outputs, truth, decision),
            Metric::BalancedAcc => balanced_accuracy::of_each_replica(outputs, truth, decision),
            Metric::Me => errors().mean(),
            Metric::Mae => errors().absolute(),
            Metric::Mse => errors().squared(),
            Metric::Rmse => errors().root_of_squared(),
            Metric::Mape => errors().absolute_share(),
            Metric::R2 => errors().determination(),
        }
    }
}

/// Deserializes a list of metrics, each of which may use its shorthand; `None` if no list is set.
///
/// # Errors
/// When a metric is unknown.
pub fn list_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Metric>>, D::Error> {
    #[derive(Deserialize)]
    struct List(#[serde(deserialize_with = "named_list")] Vec<Metric>);
    Ok(Option::<List>::deserialize(deserializer)?.map(|list| list.0))
}

/// Checks that each metric supports the target and appears once.
///
/// # Errors
/// When a metric does not support the target or appears twice.
pub fn check(metrics: &[Metric], target: Target) -> Result<(), Invalid> {
    for (number, metric) in metrics.iter().enumerate() {
        metric.check_fit(target)?;
        if metrics[..number].contains(metric) {
            return Err(Invalid::new("metrics", format!("holds `{}` twice", metric.name())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_that_does_not_fit_is_refused_with_those_that_do() {
        let fault = Metric::Mape.check_fit(Target::Classes(2)).unwrap_err();
        assert_eq!(fault.message, "holds `mape`, which is for numbers, and the target is 2 classes");
        let hint = "for 2 classes there are `acc`, `precision`, `recall`, `f1`, `roc_auc`, `ap`, `mcc`, `balanced_acc`";
        assert_eq!(fault.hint.unwrap(), hint);
        let fault = Metric::Mcc.check_fit(Target::Labels(3)).unwrap_err();
        assert!(fault.message.contains("classes that exclude each other, and the target is 3 yes-or-no labels"));
        let fault = Metric::Mae.check_fit(Target::Classes(10)).unwrap_err();
        assert!(fault.hint.unwrap().contains("`acc`, `{ top_k = 5 }`, `precision`"));
        assert!(Metric::TopK(TopK { k: 3 }).check_fit(Target::Classes(3)).is_err());
        assert!(Metric::TopK(TopK { k: 0 }).check_fit(Target::Classes(3)).is_err());
        for target in [Target::Classes(2), Target::Classes(10), Target::Labels(3), Target::Values(1)] {
            assert!(Metric::defaults(target).iter().all(|metric| metric.check_fit(target).is_ok()));
        }
    }
}
