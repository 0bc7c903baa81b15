//! What a constant prediction gets on the validation and test rows.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;

/// Baselines of the rows that a model is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baselines {
    /// That of the validation rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Baseline>,
    /// That of the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Baseline>,
    /// Where a classifier never predicts a class, or is no better than the majority class: says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
}

/// What a constant prediction gets: of classes, the majority class; of numbers, the mean of the training rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Of classes, the most frequent one among these rows, by its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<usize>,
    /// Of classes, `acc`, the share of that class, and `loss`, that of the best constant probabilities; of numbers, the
    /// loss and the metrics that were named.
    #[serde(flatten)]
    pub metrics: IndexMap<String, Number>,
}

impl Baselines {
    /// Whether neither validation nor test rows have one.
    pub fn is_empty(&self) -> bool {
        self.validation.is_none() && self.test.is_none()
    }
}

impl Baseline {
    /// The majority class of rows with these counts by class; `None` where there is no row.
    pub fn of_counts(counts: &[u64]) -> Option<Baseline> {
        let rows: u64 = counts.iter().sum();
        // of equal counts, the first
        let (class, &count) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
        let acc = (rows > 0).then(|| count as f64 / rows as f64)?;
        Some(Baseline { class: Some(class), metrics: IndexMap::from([("acc".to_owned(), Number(acc))]) })
    }

    /// One of its metrics.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).map(|number| number.0)
    }
}
