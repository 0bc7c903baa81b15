//! Common interface of networks and trees: prepared rows in, outputs out.

use tch::Tensor;

/// A fitted model that returns outputs for rows.
///
/// A [`Decision`](crate::metrics::decision::Decision) turns outputs into classes and into scores that rank rows.
pub trait Predictor {
    /// Returns the outputs for rows that were prepared in the same way as the training rows.
    ///
    /// # Shapes
    /// `features` `[rows, …sample]` → `[rows, outputs]` f64, on the CPU.
    fn outputs(&self, features: &Tensor) -> Tensor;
}
