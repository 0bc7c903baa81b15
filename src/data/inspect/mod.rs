//! Descriptions of tables, and duplicate rows.

pub mod describe;
pub mod duplicates;
