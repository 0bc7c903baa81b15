//! Baselines: what a prediction gets that is the same for every row, to compare a model with on the same rows.

mod caution;
pub mod constant_prediction;

pub use caution::{caution, cautions};
pub use constant_prediction::{Baseline, Baselines};
