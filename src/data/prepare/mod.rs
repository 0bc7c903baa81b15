//! What is fitted to training rows, and applied to all rows.

pub mod fitted_data;
