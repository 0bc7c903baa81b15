//! What is wrong in a sweep.

use serde::Serialize;

/// A file and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Path in the directory of the sweep.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}

/// All that is wrong.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub fn add(&mut self, file: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Finding { file: file.into(), problem: problem.into() });
    }

    /// Adds the findings of another list.
    pub fn append(&mut self, other: Findings) {
        self.0.extend(other.0);
    }

    /// Returns the findings by file, each once.
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut findings = self.0;
        findings.sort();
        findings.dedup();
        findings
    }
}
