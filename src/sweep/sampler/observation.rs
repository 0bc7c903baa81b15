//! A configuration and how it ended.

use std::cmp::Ordering;

/// How a configuration ended. Lower values are better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// It has this value.
    Finished(f64),
    /// It was dropped after this epoch with this value so far.
    Dropped {
        /// The epoch.
        epoch: usize,
        /// The value so far.
        value: f64,
    },
    /// It diverged or failed.
    Failed,
}

impl Score {
    /// Orders two scores, the better one first: finished ones by value, then dropped ones, later ones first, then failed ones.
    pub(super) fn compare(&self, other: &Score) -> Ordering {
        let key = |score: &Score| match score {
            Score::Finished(value) => (0, 0, *value),
            Score::Dropped { epoch, value } => (1, usize::MAX - epoch, *value),
            Score::Failed => (2, 0, 0.0),
        };
        let (a, b) = (key(self), key(other));
        (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2))
    }
}

/// A configuration and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Value of each parameter; `None` for one that the configuration does not have.
    pub values: Vec<Option<f64>>,
    /// How it ended.
    pub score: Score,
    /// Standard error of its value; 0 if it is exact or unknown.
    pub error: f64,
}
