//! The table of all runs and sweeps, kept up to date by polling.

mod in_threads;
pub mod matching;
pub mod row;
pub mod rows;
pub mod scan;
pub mod scanned;
pub mod sweeps;
pub mod walk;
