//! Baselines: the metrics of a prediction that is the same for every row, on the same rows as the model.

mod caution;
pub mod constant_prediction;
pub mod without_skill;

pub use caution::{caution, cautions};
pub use constant_prediction::{Baseline, Baselines};
