//! Comparisons with PyTorch and scikit-learn. The reference values and their scripts are in `tests/golden`.

pub mod fixture;
mod initializers;
mod layers;
mod losses;
mod metrics;
mod one_cycle;
mod optimizers;
mod positive_class;
mod resampling;
mod runs;
mod saved;
mod splits;
mod statistics;
mod tables;
mod trees;
