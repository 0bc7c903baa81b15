//! Runs a study: trains the trials of every plan as stacks, writes histories and weights, and checks the expectations.

pub mod baselines;
pub mod checkpointing;
pub mod context;
pub(in crate::experiment) mod data_notes;
pub mod error;
mod fold_checks;
pub mod grouping;
pub mod memory_estimate;
pub mod progress;
mod run_study;
pub mod scheduler;
pub mod source_rows;
mod stack;
pub mod stack_queue;
pub mod test_metrics;
pub mod tree;

pub(in crate::experiment) use crate::experiment::run::run_study::load_group;
pub use crate::experiment::run::run_study::{Finished, Options, continue_run, resume, run};

#[cfg(test)]
pub(in crate::experiment) mod tests;
