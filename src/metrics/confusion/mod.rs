//! Confusion matrix, and the classification report computed from it.

mod matrix;
mod report;

pub use matrix::{Confusion, per_replica};
