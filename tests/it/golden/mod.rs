//! Held against PyTorch and scikit-learn: the figures in `tests/golden/*.json`, made by the scripts beside them.

mod fixture;
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
