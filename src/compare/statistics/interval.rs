//! Confidence intervals.

use serde::Serialize;

/// The share of intervals that hold the truth, if many were made.
pub const CONFIDENCE: f64 = 0.95;

/// From where to where a figure may lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
