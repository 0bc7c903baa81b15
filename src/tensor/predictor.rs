//! What a network and a tree have in common: rows go in, and outputs come out by which they are judged.

use tch::Tensor;

/// Something that was fitted to training rows and can be asked about others.
///
/// How outputs become classes, and scores to rank rows by, is a [`Decision`](crate::metrics::decision::Decision).
pub trait Predictor {
    /// The outputs for rows that were prepared as the training rows were.
    ///
    /// # Shapes
    /// `features` `[rows, …sample]` → `[rows, outputs]` f64, on the CPU.
    fn outputs(&self, features: &Tensor) -> Tensor;
}
