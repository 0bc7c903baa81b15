//! Plots of the scores of test rows.

pub mod calibration;
pub mod class_pr;
pub mod roc_pr;
pub mod thresholds;
