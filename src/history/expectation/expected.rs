//! Expectations as an experiment file states them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that an experiment is expected to show: an `[[expect]]` table of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What it bears out, in a short sentence; it holds for the expectations below too, up to the next claim.
    #[serde(default)]
    pub claim: Option<String>,
    /// The figure's name.
    pub value: String,
    /// Not each trial's figure is meant, but this statistic of the figures of all seeds and folds.
    #[serde(default)]
    pub over: Option<Over>,
    /// It is at least this.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// It is at most this.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// It is this, give or take `within`.
    #[serde(default)]
    pub near: Option<f64>,
    /// How far from `near` it may be.
    #[serde(default)]
    pub within: Option<f64>,
    /// It is greater than this other figure; `relu/last.loss` is a figure of the variant `relu`, with the same seed
    /// and fold, or, with `over`, the same statistic of it.
    #[serde(default)]
    pub above: Option<String>,
    /// It is greater than so many times that other figure.
    #[serde(default)]
    pub times: Option<f64>,
    /// It is this word.
    #[serde(default)]
    pub is: Option<String>,
    /// It holds for this seed alone, because the figure is exact.
    #[serde(default)]
    pub seed: Option<i64>,
    /// It speaks of this variant alone.
    #[serde(default)]
    pub variant: Option<String>,
    /// The fewest seeds that `over` is checked with: in a run with fewer seeds the expectation is not checked, because
    /// chance could break it.
    #[serde(default)]
    pub min_seeds: Option<usize>,
}

/// A statistic of a figure over all seeds and folds of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The mean.
    Mean,
    /// The standard deviation of the sample (divided by n − 1); it takes two trials at least.
    Std,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The share of the trials whose word is `is`, from 0 to 1.
    Share,
}

impl Expectation {
    /// What is expected, in words.
    pub fn in_words(&self) -> String {
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
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Over::Mean => "mean",
            Over::Std => "std",
            Over::Min => "min",
            Over::Max => "max",
            Over::Share => "share",
        }
    }

    /// The statistic of these values: absent for none of them, and for the standard deviation of one; one that is not
    /// a number makes it none.
    pub(super) fn of(self, values: &[f64]) -> Option<f64> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        if values.iter().any(|value| value.is_nan()) {
            return Some(f64::NAN); // `f64::min` would pass it over
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
