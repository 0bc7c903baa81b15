//! The results of a sweep for other programs.

pub mod optuna;
pub mod trials_csv;
