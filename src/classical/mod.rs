//! Models that are not networks, asked through the [`Predictor`](crate::tensor::predictor::Predictor) that networks are asked
//! through.

pub mod decision_tree;
pub mod grow;
pub mod importance;
mod presorted;
pub mod tree;
