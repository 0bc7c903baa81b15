//! Predictions for new rows.

pub mod external_rows;
pub mod prediction;
