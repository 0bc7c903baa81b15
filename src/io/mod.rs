//! Files, their names and their formats.

pub mod file_format;
pub mod file_names;
pub mod separator;
