//! Predictions for new rows.

pub mod array_rows;
pub mod external_rows;
pub mod input_kind;
pub mod prediction;
