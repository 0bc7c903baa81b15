//! Confidence intervals.

use serde::Serialize;

/// Confidence level: the share of intervals that contain the true value.
pub const CONFIDENCE: f64 = 0.95;

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}
