//! Metrics written in PyTorch and exported as TorchScript.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::metrics::info::{MetricInfo, Targets};
use crate::network::torchscript::TorchScript;

/// A metric written in PyTorch: `forward(output, target)` returns one number for all rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptMetric {
    /// Path of the TorchScript file, relative to this file.
    pub torchscript: TorchScript,
    /// Name of the metric; for validation rows it gets the prefix `val_`.
    pub name: String,
    /// Whether higher is better. If it is missing, neither direction is, and the metric cannot be monitored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub higher_is_better: Option<bool>,
}

/// Names that epochs and test results use for something else.
const RESERVED: [&str; 14] = [
    "loss",
    "lr",
    "seconds",
    "epoch",
    "monitor",
    "weights",
    "confusion",
    "report",
    "prevalence",
    "positives",
    "roc",
    "precision_recall",
    "threshold",
    "targets_near_zero",
];

/// Direction of the metrics written in PyTorch that this process has read, by name.
static KNOWN: Mutex<BTreeMap<String, Option<bool>>> = Mutex::new(BTreeMap::new());

impl ScriptMetric {
    /// Checks the name.
    ///
    /// # Errors
    /// When it is empty, has other characters than letters, digits and `_`, or belongs to something else.
    pub fn check(&self) -> Result<(), Invalid> {
        let name = &self.name;
        let fault = |message: String, hint: &str| Err(Invalid::new("metrics", message).hint(hint));
        let mut letters = name.chars();
        let is_word = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !is_word {
            let message =
                format!("contains the name `{name}`: a name begins with a letter and has letters, digits and `_`");
            return fault(message, "write it as `\"dice\"` or `\"mean_iou\"`");
        }
        if name.starts_with("val_") {
            return fault(
                format!("contains the name `{name}`, but `val_` is the prefix of validation metrics"),
                "leave the prefix out: validation rows get it by themselves",
            );
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(self.taken("has another meaning"));
        }
        self.remember();
        Ok(())
    }

    /// Returns the error for a name that something else has; `why` follows the name.
    pub fn taken(&self, why: &str) -> Invalid {
        let message = format!("contains a metric named `{}`, which {why}", self.name);
        Invalid::new("metrics", message).hint("choose another name")
    }

    /// Remembers the direction under the name. Two metrics of one name with different directions have none.
    fn remember(&self) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let direction = known.entry(self.name.clone()).or_insert(self.higher_is_better);
        if *direction != self.higher_is_better {
            *direction = None;
        }
    }

    /// Returns the properties of the metric.
    pub fn info(&self) -> MetricInfo {
        info(&self.name, self.higher_is_better)
    }

    /// Returns the metric of each replica.
    ///
    /// # Shapes
    /// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64 for classes, otherwise `[replicas, rows,
    /// outputs]` f32 → `[replicas]`, f64.
    pub fn per_replica(&self, outputs: &Tensor, truth: &Tensor) -> Tensor {
        let _no_grad = tch::no_grad_guard();
        let of_replica = |replica: i64| {
            let value = self.torchscript.call(&outputs.get(replica).to_kind(Kind::Float), &truth.get(replica));
            value
                .unwrap_or_else(|fault| fault.throw())
                .to_device(outputs.device())
                .to_kind(Kind::Double)
                .reshape([1i64; 0])
        };
        Tensor::stack(&(0..outputs.size()[0]).map(of_replica).collect::<Vec<_>>(), 0)
    }
}

/// Remembers the metrics written in PyTorch of a trial with these settings.
pub fn remember_metrics_of(config: &Value) {
    let tables = ["train", "tree"].into_iter().filter_map(|table| config.get(table)?.get("metrics")?.as_array());
    for metric in tables.flatten().filter(|metric| metric.is_object()) {
        if let Ok(metric) = ScriptMetric::deserialize(metric) {
            metric.remember();
        }
    }
}

/// Returns the properties of a metric written in PyTorch that this process has read; `None` for other names.
pub fn info_of_name(name: &str) -> Option<MetricInfo> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(name).map(|direction| info(name, *direction))
}

fn info(name: &str, higher_is_better: Option<bool>) -> MetricInfo {
    MetricInfo {
        name: Cow::Owned(name.to_owned()),
        label: Cow::Owned(name.to_owned()),
        range: [f64::NEG_INFINITY, f64::INFINITY],
        higher_is_better,
        needs_scores: false,
        uses_positive_class: false,
        is_percent: false,
        targets: Targets::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metric(name: &str, higher_is_better: Option<bool>) -> ScriptMetric {
        ScriptMetric { torchscript: "m.pt".to_owned().into(), name: name.to_owned(), higher_is_better }
    }

    #[test]
    fn a_name_is_a_word_that_means_nothing_else() {
        assert_eq!(metric("mean_iou2", None).check(), Ok(()));
        for (name, words) in [
            ("", "begins with a letter"),
            ("2x", "begins with a letter"),
            ("my.dice", "letters, digits and `_`"),
            ("val_dice", "prefix of validation metrics"),
            ("loss", "another meaning"),
        ] {
            assert!(metric(name, None).check().unwrap_err().message.contains(words), "{name}");
        }
    }

    #[test]
    fn directions_are_known_by_name_unless_two_metrics_disagree() {
        let config = |higher: bool| {
            let metrics = json!(["acc", { "top_k": { "k": 2 } }, { "torchscript": "a.pt", "name": "own_score", "higher_is_better": higher }]);
            json!({ "train": { "metrics": metrics } })
        };
        assert_eq!(info_of_name("own_score"), None);
        remember_metrics_of(&config(false));
        remember_metrics_of(&config(false));
        assert_eq!(info_of_name("own_score").unwrap().higher_is_better, Some(false));
        remember_metrics_of(&config(true));
        assert_eq!(info_of_name("own_score").unwrap().higher_is_better, None);
        remember_metrics_of(&json!({ "tree": { "metrics": null } }));
    }
}
