//! Metrics: values such as accuracy that are reported beside the loss.
//!
//! A metric is computed after each epoch from the outputs for all rows, for every replica at once. Each metric states
//! its name, range and direction and the targets it supports in its own file ([`MetricInfo`]). To add one, see
//! `docs/internals/adding-a-metric.md`.

pub mod accuracy;
pub mod average_precision;
pub mod balanced_accuracy;
pub mod confusion;
pub mod curves;
pub mod decision;
pub mod info;
pub mod matthews;
pub mod precision_recall;
pub mod regression;
pub mod roc_auc;
pub mod score;
pub mod script;
pub mod threshold;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::shorthand::{named_or_table, number_or_table};
use crate::data::target::Target;
use crate::network::torchscript::TorchScript;
use crate::network::torchscript::inspection::Role;
use accuracy::TopK;
use decision::Decision;
use info::MetricInfo;
use precision_recall::ClassCounts;
use regression::Errors;
use script::ScriptMetric;

/// Metric of a model on a set of rows.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
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
    /// A metric written in PyTorch and exported as TorchScript.
    #[serde(rename = "torchscript")]
    #[schemars(untagged)]
    TorchScript(ScriptMetric),
}

impl Metric {
    /// All metrics that `runner` computes itself, `top_k` with its default.
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
    pub fn test_defaults(classes: Option<usize>) -> &'static [Metric] {
        match classes {
            None => &[],
            Some(2) => &[Metric::Mcc, Metric::BalancedAcc, Metric::RocAuc, Metric::Ap],
            Some(_) => &[Metric::Mcc, Metric::BalancedAcc],
        }
    }

    /// Returns what the metric states about itself.
    pub fn info(&self) -> MetricInfo {
        match self {
            Metric::Acc => accuracy::ACCURACY,
            Metric::TopK(TopK { k }) => accuracy::top_k_info(*k),
            Metric::Precision => precision_recall::PRECISION,
            Metric::Recall => precision_recall::RECALL,
            Metric::F1 => precision_recall::F1,
            Metric::RocAuc => roc_auc::ROC_AUC,
            Metric::Ap => average_precision::AVERAGE_PRECISION,
            Metric::Mcc => matthews::MATTHEWS,
            Metric::BalancedAcc => balanced_accuracy::BALANCED_ACCURACY,
            Metric::Me => regression::ME,
            Metric::Mae => regression::MAE,
            Metric::Mse => regression::MSE,
            Metric::Rmse => regression::RMSE,
            Metric::Mape => regression::MAPE,
            Metric::R2 => regression::R2,
            Metric::TorchScript(metric) => metric.info(),
        }
    }

    /// Returns the properties of the metric with this name in histories; `None` for other names.
    pub fn info_of_name(name: &str) -> Option<MetricInfo> {
        let own = Metric::ALL.iter().map(Metric::info).find(|info| info.name == name);
        own.or_else(|| script::info_of_name(name))
    }

    /// Returns the name in histories; validation metrics add the prefix `val_`.
    pub fn name(&self) -> Cow<'static, str> {
        self.info().name
    }

    /// Checks that the metric supports the target.
    ///
    /// # Errors
    /// When it does not. The message names the supported targets; the hint lists the metrics for this target.
    pub fn check_fit(&self, target: Target) -> Result<(), Invalid> {
        if let Metric::TorchScript(metric) = self {
            let is_taken = Metric::ALL.iter().any(|own| own.name() == metric.name) || metric.name.starts_with("top_");
            return if is_taken { Err(metric.taken("is the name of a built-in metric")) } else { metric.check() };
        }
        if let Metric::TopK(TopK { k: 0 }) = self {
            return Err(Invalid::new("metrics", "contains `top_k` with k = 0: k must be at least 1"));
        }
        if self.info().targets.contain(target) {
            return Ok(());
        }
        let fitting = Metric::ALL.iter().filter(|metric| metric.info().targets.contain(target));
        let names: Vec<String> = fitting
            .map(|metric| match metric {
                Metric::TopK(TopK { k }) => format!("`{{ top_k = {k} }}`"),
                plain => format!("`{}`", plain.name()),
            })
            .collect();
        let (name, purpose) = (self.name(), self.info().targets.describe());
        let message = format!("contains `{name}`, which is for {purpose}, but the target is {target}");
        Err(Invalid::new("metrics", message).hint(format!("use one of these for {target}: {}", names.join(", "))))
    }

    /// Returns the metric of each replica. `positive` is the positive class (of two) for precision, recall, F1, ROC AUC
    /// and average precision.
    ///
    /// # Shapes
    /// `outputs` `[replicas, rows, outputs]`; `truth` `[replicas, rows]` int64 for classes, otherwise `[replicas, rows,
    /// outputs]` f32 → `[replicas]`, f64, on the same device, NaN where undefined.
    pub fn per_replica(&self, outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> Tensor {
        let counts = || ClassCounts::new(outputs, truth, decision, positive);
        let errors = || Errors::new(outputs, truth);
        match self {
            Metric::Acc => accuracy::per_replica(outputs, truth, decision),
            Metric::TopK(TopK { k }) => accuracy::top_k(outputs, truth, *k),
            Metric::Precision => counts().precision(),
            Metric::Recall => counts().recall(),
            Metric::F1 => counts().f1(),
            Metric::RocAuc => roc_auc::per_replica(outputs, truth, decision, positive),
            Metric::Ap => average_precision::per_replica(outputs, truth, decision, positive),
            Metric::Mcc => matthews::per_replica(outputs, truth, decision),
            Metric::BalancedAcc => balanced_accuracy::per_replica(outputs, truth, decision),
            Metric::Me => errors().mean_error(),
            Metric::Mae => errors().mean_absolute_error(),
            Metric::Mse => errors().mean_squared_error(),
            Metric::Rmse => errors().root_mean_squared_error(),
            Metric::Mape => errors().mean_absolute_percentage_error(),
            Metric::R2 => errors().r2(),
            Metric::TorchScript(metric) => metric.per_replica(outputs, truth),
        }
    }
}

/// A metric is written as in an experiment file: its name, `{ top_k = { k = 5 } }`, or the table of one written in PyTorch.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Metric::TorchScript(metric) => metric.serialize(serializer),
            Metric::TopK(settings) => serializer.serialize_newtype_variant("Metric", 1, "top_k", settings),
            plain => serializer.serialize_str(&plain.name()),
        }
    }
}

/// A metric in a list: a name, or a table.
struct ListItem(Metric);

impl<'de> Deserialize<'de> for ListItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named_or_table(deserializer, "torchscript", Metric::TorchScript).map(ListItem)
    }
}

/// Deserializes a list of metrics, each of which may use its shorthand; `None` if no list is set.
///
/// # Errors
/// When a metric is unknown.
pub fn list_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Metric>>, D::Error> {
    let list = Option::<Vec<ListItem>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|item| item.0).collect()))
}

/// Returns the TorchScript modules of a list of metrics, each with its key.
pub fn modules(metrics: &Option<Vec<Metric>>) -> impl Iterator<Item = (String, &TorchScript)> {
    metrics.iter().flatten().enumerate().filter_map(|(number, metric)| match metric {
        Metric::TorchScript(metric) => Some((module_key(number), &metric.torchscript)),
        _ => None,
    })
}

/// Returns the same as [`modules`], to be changed.
pub fn modules_mut(metrics: &mut Option<Vec<Metric>>) -> impl Iterator<Item = (String, &mut TorchScript)> {
    metrics.iter_mut().flatten().enumerate().filter_map(|(number, metric)| match metric {
        Metric::TorchScript(metric) => Some((module_key(number), &mut metric.torchscript)),
        _ => None,
    })
}

fn module_key(number: usize) -> String {
    format!("metrics.{number}.torchscript")
}

/// Checks that the metrics written in PyTorch can be called with outputs of this width and this target.
///
/// # Errors
/// When one cannot.
pub fn inspect(metrics: &[Metric], outputs: usize, target: Target) -> Result<(), Invalid> {
    for (number, metric) in metrics.iter().enumerate() {
        if let Metric::TorchScript(metric) = metric {
            metric.torchscript.inspect_function(&Role::Metric(outputs, target), &module_key(number))?;
        }
    }
    Ok(())
}

/// Checks that each metric supports the target and appears once.
///
/// # Errors
/// When a metric does not support the target or appears twice.
pub fn check(metrics: &[Metric], target: Target) -> Result<(), Invalid> {
    for (number, metric) in metrics.iter().enumerate() {
        metric.check_fit(target)?;
        if metrics[..number].iter().any(|other| other.name() == metric.name()) {
            return Err(Invalid::new("metrics", format!("contains `{}` twice", metric.name())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_ranges_are_not_empty() {
        let infos = Metric::ALL.each_ref().map(Metric::info);
        for (place, info) in infos.iter().enumerate() {
            assert!(info.range[0] < info.range[1], "{}", info.name);
            assert!(infos[..place].iter().all(|other| other.name != info.name), "{}", info.name);
        }
    }

    #[test]
    fn metrics_read_back_as_they_are_written() {
        let own = r#"{ "name": "dice", "torchscript": "dice.pt", "higher_is_better": true }"#;
        let own = Metric::TorchScript(serde_json::from_str(own).unwrap());
        let all: Vec<Metric> = Metric::ALL.into_iter().chain([own]).collect();
        let text = serde_json::to_string(&all).unwrap();
        let again = list_or_none(&mut serde_json::Deserializer::from_str(&text)).unwrap();
        assert_eq!(again, Some(all), "{text}");
    }

    #[test]
    fn a_metric_of_ones_own_has_a_name_of_its_own() {
        let message = |name: &str| {
            let metric = serde_json::json!({ "torchscript": "m.pt", "name": name });
            Metric::TorchScript(serde_json::from_value(metric).unwrap())
                .check_fit(Target::Classes(2))
                .map_err(|fault| fault.message)
        };
        assert_eq!(message("dice"), Ok(()));
        for name in ["f1", "top_2"] {
            assert!(message(name).unwrap_err().ends_with("which is the name of a built-in metric"), "{name}");
        }
    }

    #[test]
    fn a_metric_that_does_not_fit_is_refused_with_those_that_do() {
        let fault = Metric::Mape.check_fit(Target::Classes(2)).unwrap_err();
        assert_eq!(fault.message, "contains `mape`, which is for numbers, but the target is 2 classes");
        let hint = "use one of these for 2 classes: `acc`, `precision`, `recall`, `f1`, `roc_auc`, `ap`, `mcc`, `balanced_acc`";
        assert_eq!(fault.hint.unwrap(), hint);
        let fault = Metric::Mcc.check_fit(Target::Labels(3)).unwrap_err();
        assert!(fault.message.contains("single-label classes, but the target is 3 yes-or-no labels"));
        let fault = Metric::Mae.check_fit(Target::Classes(10)).unwrap_err();
        assert!(fault.hint.unwrap().contains("`acc`, `{ top_k = 5 }`, `precision`"));
        assert!(Metric::TopK(TopK { k: 3 }).check_fit(Target::Classes(3)).is_err());
        assert!(Metric::TopK(TopK { k: 0 }).check_fit(Target::Classes(3)).is_err());
        for target in [Target::Classes(2), Target::Classes(10), Target::Labels(3), Target::Values(1)] {
            assert!(Metric::defaults(target).iter().all(|metric| metric.check_fit(target).is_ok()));
        }
    }
}
