//! Data sets: sources, tables, splits, preprocessing and resampling.
//!
//! Training, validation and test rows have three types. Only [`Training`] can be resampled or fitted to, and the test
//! rows stay sealed until training is over, so that data leakage does not compile.

pub mod arrays;
pub mod dataset;
pub mod file_error;
pub mod image_file;
pub mod images;
pub mod inspect;
pub mod prepare;
pub mod resample;
pub mod rows;
pub mod source;
pub mod split;
pub mod store;
pub mod subsets;
pub mod table;
pub mod target;
pub mod text;

pub use crate::data::dataset::{DatasetInfo, Loaded};
pub use crate::data::rows::{Rows, class_numbers};
pub use crate::data::subsets::{Test, Training, Validation};
pub use crate::data::target::Target;
