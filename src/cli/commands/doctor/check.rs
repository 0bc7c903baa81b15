//! Result of a check, as `doctor` prints it.

use serde::{Deserialize, Serialize};

/// Result of one check.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether it is as it should be.
    #[serde(rename = "well")]
    pub passed: bool,
    /// Whether it is lacking without a fault.
    #[serde(rename = "absent", skip_serializing_if = "std::ops::Not::not", default)]
    pub is_absent: bool,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    /// A check that passed.
    pub fn passed(what: &str, found: impl Into<String>) -> Self {
        Check { what: what.to_owned(), found: found.into(), passed: true, ..Check::default() }
    }

    /// A check that failed, with a fix.
    pub fn failed(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { passed: false, remedy: Some(remedy.into()), ..Check::passed(what, found) }
    }

    /// A check with a fix that is shown if it failed.
    pub fn of(what: &str, passed: bool, found: impl Into<String>, remedy: &str) -> Self {
        if passed { Check::passed(what, found) } else { Check::failed(what, found, remedy) }
    }

    /// A check of something that is lacking without a fault, with what to know about it.
    pub fn absent(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { is_absent: true, ..Check::failed(what, found, remedy) }
    }
}
