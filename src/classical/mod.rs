//! Models that are not networks: fitted by a library, asked through the [`Predictor`](crate::predictor::Predictor) that
//! networks are asked through.

pub mod decision_tree;
pub mod grow;
pub mod importance;
pub mod tree;
