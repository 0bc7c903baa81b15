//! The parts of a report that renderers lay out: blocks of text, tables, and numbers as text.

pub mod badge;
pub mod block;
pub mod statistic;
pub mod table;
pub mod thinning;
