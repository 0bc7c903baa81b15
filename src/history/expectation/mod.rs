//! Expectations of an experiment, checked against the metrics of its trials.
//!
//! An expectation checks each trial by itself, or with `over` a statistic over all seeds and folds of a variant. A claim
//! is a sentence that the expectations below it support, up to the next claim.

pub mod definition;
pub mod result;
mod verify;

pub use definition::{Expectation, Over};
pub use result::ExpectationResult;
pub use verify::verify;
