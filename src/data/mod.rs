//! Data sets: from a named source to rows split into training, validation and test.
//!
//! The three parts are three types. Only [`Training`] is ever resampled or fitted on, and the test rows stay
//! sealed until training is over: a leak does not compile.

pub mod dataset;
pub mod image_file;
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

pub use crate::data::dataset::{DatasetInfo, Loaded};
pub use crate::data::rows::{Rows, class_numbers};
pub use crate::data::subsets::{Test, Training, Validation};
pub use crate::data::target::Target;
