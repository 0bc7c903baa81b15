//! Expectations of an experiment file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A condition on a metric: an `[[expect]]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What the expectation supports, in a short sentence. It also holds for the following expectations, up to the next
    /// claim.
    #[serde(default)]
    pub claim: Option<String>,
    /// The path of the metric: `last.loss`.
    #[serde(rename = "metric", alias = "value")]
    pub value: String,
    /// Checks this statistic over all seeds and folds, instead of the metric of each trial.
    #[serde(default)]
    pub over: Option<Over>,
    /// The metric must be at least this value.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The metric must be at most this value.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// The metric must be this value, plus or minus `within`.
    #[serde(default)]
    pub near: Option<f64>,
    /// The tolerance of `near`.
    #[serde(default)]
    pub within: Option<f64>,
    /// The metric must be greater than this other metric. `relu/last.loss` is a metric of the variant `relu`, for the same
    /// seed and fold, or with `over` the same statistic of it.
    #[serde(default)]
    pub above: Option<String>,
    /// A factor: the metric must be greater than this multiple of the metric in `above`.
    #[serde(default)]
    pub times: Option<f64>,
    /// The metric must be this word.
    #[serde(default)]
    pub is: Option<String>,
    /// Checks only the trials with this seed, because the value is exact.
    #[serde(default)]
    pub seed: Option<i64>,
    /// Checks only the trials of this variant.
    #[serde(default)]
    pub variant: Option<String>,
    /// Minimum number of seeds for `over`. With fewer seeds the expectation is not checked, because it could fail by
    /// chance.
    #[serde(default)]
    pub min_seeds: Option<usize>,
}

/// A statistic of a metric over all seeds and folds of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The mean.
    Mean,
    /// The sample standard deviation (divided by n − 1). It needs at least two trials.
    Std,
    /// The minimum.
    Min,
    /// The maximum.
    Max,
    /// The share of the trials whose word is `is`, between 0 and 1.
    Share,
}

impl Expectation {
    /// Returns the condition as text: `≥ 0.9`, `0.5 ± 0.01`, `> 2 × relu/last.loss`.
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.at_least.map(|bound| format!("≥ {bound}")));
        parts.extend(self.at_most.map(|bound| format!("≤ {bound}")));
        parts.extend(self.near.map(|near| format!("{near} ± {}", self.within.unwrap_or_default())));
        parts.extend(self.above.as_ref().map(|other| match self.times {
            Some(times) => format!("> {times} × {other}"),
            None => format!("> {other}"),
        }));
        match &self.is {
            Some(word) if self.over == Some(Over::Share) => format!("{word} in {} of the trials", parts.join(", ")),
            word => {
                parts.extend(word.clone());
                parts.join(", ")
            }
        }
    }
}

impl Over {
    /// Returns the word in experiment files.
    pub fn word(self) -> &'static str {
        match self {
            Over::Mean => "mean",
            Over::Std => "std",
            Over::Min => "min",
            Over::Max => "max",
            Over::Share => "share",
        }
    }

    /// Returns the statistic of these values: NaN if one of them is NaN, `None` if there are too few.
    pub(super) fn compute(self, values: &[f64]) -> Option<f64> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        if values.iter().any(|value| value.is_nan()) {
            return Some(f64::NAN); // `f64::min` ignores NaN
        }
        match self {
            Over::Mean | Over::Share => (!values.is_empty()).then_some(mean),
            Over::Std => {
                let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                (values.len() >= 2).then(|| (squares / (n - 1.0)).sqrt())
            }
            Over::Min => values.iter().copied().reduce(f64::min),
            Over::Max => values.iter().copied().reduce(f64::max),
        }
    }
}
