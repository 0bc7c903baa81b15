//! Metrics of a constant prediction on the validation and test rows.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;

/// Baselines on the validation and test rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baselines {
    /// Baseline on the validation rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Baseline>,
    /// Baseline on the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Baseline>,
    /// A warning if a classifier never predicts a class or is no better than the majority class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
}

/// Metrics of a constant prediction: for classes the majority class, for regression the mean of the training rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// For classes, the index of the most frequent class of these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<usize>,
    /// For classes `acc`, the share of that class, and `loss`, the loss of the best constant probabilities. For regression
    /// the loss and the metrics of the experiment.
    #[serde(flatten)]
    pub metrics: IndexMap<String, Number>,
}

impl Baselines {
    /// Returns whether neither validation nor test rows have a baseline.
    pub fn is_empty(&self) -> bool {
        self.validation.is_none() && self.test.is_none()
    }
}

impl Baseline {
    /// Returns the baseline of rows with these counts by class, or `None` without rows.
    pub fn of_counts(counts: &[u64]) -> Option<Baseline> {
        let rows: u64 = counts.iter().sum();
        // the first class of several equally frequent ones
        let (class, &count) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
        let acc = (rows > 0).then(|| count as f64 / rows as f64)?;
        Some(Baseline { class: Some(class), metrics: IndexMap::from([("acc".to_owned(), Number(acc))]) })
    }

    /// Returns one of the metrics.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).map(|number| number.0)
    }
}
