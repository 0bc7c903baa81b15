//! ROC and precision–recall curves, computed from rows ranked by score.

pub mod ranking;
mod roc_pr;

pub use roc_pr::{MOST_POINTS, precision_recall, roc};
