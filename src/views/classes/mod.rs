//! Views about classes: confusion matrix, classification report, and decision threshold.

pub mod by_class;
pub mod confusion;
pub mod positive_class;
pub mod thresholds;
pub mod weakest;
