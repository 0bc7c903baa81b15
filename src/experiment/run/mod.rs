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
pub mod split_stacks;
mod stack;
pub mod test_metrics;
pub mod tree;

pub(in crate::experiment) use crate::experiment::run::run_study::first_files;
pub use crate::experiment::run::run_study::leased::run_leased;
pub use crate::experiment::run::run_study::loading::LoadedData;
pub(in crate::experiment) use crate::experiment::run::run_study::loading::load_group;
pub use crate::experiment::run::run_study::options::Options;
pub use crate::experiment::run::run_study::parts;
pub use crate::experiment::run::run_study::{Finished, Run, create, resume, run, start};

#[cfg(test)]
pub(in crate::experiment) mod tests;
