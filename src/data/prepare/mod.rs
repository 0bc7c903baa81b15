//! What is fitted to training rows, and applied to all rows.

pub mod batches;
pub mod fitted_data;
pub mod prepared;
pub mod preprocessing;
pub mod scale;
pub mod weights;
