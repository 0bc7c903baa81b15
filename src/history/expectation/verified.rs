//! An expectation that was held against a trial, as a history records it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::expectation::expected::Over;
use crate::history::figure::found::{Found, VARIANT_SEPARATOR};

/// An expectation, and what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// Which of the experiment's expectations it is, counted from 0.
    #[serde(default)]
    pub number: usize,
    /// What it bears out, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The figure's name.
    pub value: String,
    /// The statistic of the figures of all seeds and folds that is meant in place of this trial's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Over>,
    /// What was expected, in words.
    pub expected: String,
    /// The variant that the expectation speaks of, when it speaks of one alone.
    pub variant: Option<String>,
    /// What came; absent when the run has not available.
    pub found: Option<Found>,
    /// The other figure, where it is to be above one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Found>,
    /// Whether it is as expected.
    pub met: bool,
}

impl Verified {
    /// The figure, with its variant's name before it, and what is expected of it: `mean of relu/last.loss ≤ 0.5`.
    pub fn statement(&self) -> String {
        self.statement_of(self.variant.as_deref())
    }

    /// The same with this variant's name, or with none.
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
