//! Models other than networks; they predict through the same [`Predictor`](crate::tensor::predictor::Predictor) trait.

pub mod decision_tree;
pub mod grow;
pub mod importance;
pub mod impurity;
mod presorted;
pub mod tree;
