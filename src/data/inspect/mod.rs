//! Descriptions of tables, and duplicate rows.

pub mod class_count;
pub mod describe;
pub mod duplicates;
