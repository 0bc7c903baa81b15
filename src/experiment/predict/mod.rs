//! Predictions for rows of files.

pub mod external_rows;
pub mod prediction;
