//! Splits rows into training, validation and test, with the same rows as scikit-learn 1.9's `train_test_split`,
//! `GroupShuffleSplit` and k-fold classes with the same `random_state`.

pub mod folds;
pub mod groups;
pub mod numpy_random;
pub mod split_column;
mod split_spec;
pub(crate) mod stated_rows;
mod train_test;

pub use crate::data::split::split_spec::{OwnRows, Parts, RowsToSplit, Split};
pub use crate::data::split::train_test::{train_test_split, train_test_split_stratified};
