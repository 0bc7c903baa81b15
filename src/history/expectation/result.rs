//! The result of an expectation in a trial, as a history records it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::expectation::definition::Over;
use crate::history::metric_path::metric_value::{MetricValue, VARIANT_SEPARATOR};

/// An expectation and whether the trial meets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectationResult {
    /// Index of the expectation in the experiment file, from 0.
    #[serde(default, rename = "index", alias = "number")]
    pub number: usize,
    /// The claim that it supports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The path of the metric: `last.loss`.
    #[serde(rename = "metric", alias = "value")]
    pub value: String,
    /// The statistic over all seeds and folds that was checked, instead of this trial's metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Over>,
    /// The condition as text: `≥ 0.9`.
    pub expected: String,
    /// The variant, if the expectation is about one variant only.
    pub variant: Option<String>,
    /// The value that was found, or `null` if the trial has none.
    pub found: Option<MetricValue>,
    /// With `above`, the value of the other metric.
    #[serde(default, rename = "compared_with", alias = "against", skip_serializing_if = "Option::is_none")]
    pub against: Option<MetricValue>,
    /// Whether the expectation is met.
    pub met: bool,
}

impl ExpectationResult {
    /// Returns the metric and the condition as text: `mean of relu/last.loss ≤ 0.5`.
    pub fn statement(&self) -> String {
        self.statement_of(self.variant.as_deref())
    }

    /// Returns the same text with this variant's name, or with none.
    pub fn statement_of(&self, variant: Option<&str>) -> String {
        let comparison = if self.expected.starts_with(['≥', '≤', '>']) { "" } else { "is " };
        let variant = variant.map(|variant| format!("{variant}{VARIANT_SEPARATOR}")).unwrap_or_default();
        let statistic = match self.over {
            None | Some(Over::Share) => String::new(), // `expected` says which share
            Some(over) => format!("{} of ", over.word()),
        };
        format!("{statistic}{variant}{} {comparison}{}", self.value, self.expected)
    }
}
