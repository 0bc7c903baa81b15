//! Result of a check, as `doctor` prints it.

use serde::{Deserialize, Serialize};

/// Result of one check.
#[derive(Debug, Serialize, Deserialize)]
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
        Check { what: what.to_owned(), found: found.into(), passed: true, is_absent: false, remedy: None }
    }

    /// A check that failed, with a fix.
    pub fn failed(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Check { what: what.to_owned(), found: found.into(), passed: false, is_absent: false, remedy }
    }

    /// A check of something that is lacking without a fault, with what to know about it.
    pub fn absent(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { is_absent: true, ..Check::failed(what, found, remedy) }
    }
}
