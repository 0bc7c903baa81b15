//! Comparison of a run with its repetition.

pub mod agreement;
pub mod reproduction;
pub mod weight_diff;
