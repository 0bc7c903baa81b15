//! Files and their names.

pub mod file_names;
