//! Reproduces a run and compares the result with the original.

pub mod agreement;
pub mod reproduction;
pub mod weight_diff;
