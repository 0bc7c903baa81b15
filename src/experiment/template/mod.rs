//! Text of a new experiment file, with a comment for each choice.

pub mod arrays;
pub mod built_in;
pub mod file;
pub mod images;
mod model;
