//! Description of data sets, and duplicate rows.

pub mod class_count;
pub mod describe;
pub mod duplicates;
