//! Expectations of a sweep: `[[sweep.expect]]` in an experiment file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::metric_path::metric_value::MetricValue;
use crate::sweep::space::domain::shown;

/// Path of the key of the most important setting.
pub const MOST_IMPORTANT: &str = "most_important";

/// Path of the share of the configurations that diverged or failed.
pub const DIVERGED: &str = "diverged";

/// Beginning of the paths of settings of the best configuration: `best.train.batch`.
pub const BEST: &str = "best.";

/// Beginning of the paths of the importance of settings.
pub const IMPORTANCE: &str = "importance.";

/// A condition on the result of a sweep: a `[[sweep.expect]]` table of an experiment file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepExpectation {
    /// What the expectation supports, in a short sentence. It also holds for the following expectations, up to the next
    /// claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// A setting of the best configuration, `best.train.optimizer.adam.lr`; the metric of the sweep, whose mean in the best
    /// configuration is meant; `importance.KEY`, between 0 and 1; `most_important`, the key of the most important setting; or
    /// `diverged`, the share of the configurations that diverged or failed.
    pub metric: String,
    /// The best configuration is the best one of those with these settings: `{ "train.optimizer" = "sgd" }`.
    #[serde(default, rename = "where", skip_serializing_if = "IndexMap::is_empty")]
    pub among: IndexMap<String, Value>,
    /// The value must be at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The value must be at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// The value must be this word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

impl SweepExpectation {
    /// Returns the metric and the condition as text: `best.train.optimizer.adam.lr ≥ 0.001, ≤ 0.03`.
    pub fn statement(&self) -> String {
        format!("{} {}", self.subject(), self.condition())
    }

    /// Returns the condition as text: `≥ 0.001, ≤ 0.03`.
    pub fn condition(&self) -> String {
        let mut bounds = Vec::new();
        bounds.extend(self.at_least.map(|bound| format!("≥ {bound}")));
        bounds.extend(self.at_most.map(|bound| format!("≤ {bound}")));
        bounds.extend(self.is.as_ref().map(|word| format!("is {word}")));
        bounds.join(", ")
    }

    /// Returns what the condition is about: `best.val_loss with train.optimizer = sgd`.
    pub fn subject(&self) -> String {
        let settings = self.among.iter().map(|(key, value)| format!("{key} = {}", shown(value)));
        let settings: Vec<String> = settings.collect();
        let among = if settings.is_empty() { String::new() } else { format!(" with {}", settings.join(", ")) };
        format!("{}{among}", self.metric)
    }

    /// Returns whether a value meets the condition.
    pub fn holds_for(&self, found: Option<&MetricValue>) -> bool {
        match found {
            Some(MetricValue::Number(number)) => {
                // comparisons with NaN are false
                self.is.is_none()
                    && self.at_least.is_none_or(|bound| number.0 >= bound)
                    && self.at_most.is_none_or(|bound| number.0 <= bound)
            }
            Some(MetricValue::Word(word)) => self.is.as_ref() == Some(word),
            None => false,
        }
    }
}
