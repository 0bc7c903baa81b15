//! The summary at the end of a run: [`short`] fits a screen, and [`full`] has all tables.

pub mod best_variants;
pub mod classification;
pub mod expectations;
pub mod full;
pub mod kept_metrics;
pub mod layers;
pub mod plots;
pub mod resources;
pub mod short;
pub mod trained_run;
pub mod tree;
pub mod trials;
pub mod variants;
pub mod verdict;
pub mod write_errors;
