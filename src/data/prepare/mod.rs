//! Preprocessing: fitted to training rows, applied to all rows.

mod arrange;
pub mod batches;
pub mod features;
pub mod fitted_data;
pub mod prepared;
pub mod preprocessing;
pub mod scale;
pub mod weights;
