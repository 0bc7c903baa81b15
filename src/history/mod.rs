//! The history: one JSON file for each trial, the contract between a run and everything that reads it.
//!
//! Its JSON Schema is generated from these types (`runner schema`). Fields are only ever added within
//! `runner.history/1`.

pub mod asked;
pub mod baseline;
pub mod curves;
pub mod diagnosis;
pub mod difference;
pub mod event_file;
pub mod expectation;
pub mod figure;
pub mod foreign;
pub mod json;
pub mod number;
pub mod positive;
pub mod records;
pub mod report;
pub mod resampling;
pub mod tested;
pub mod theirs;
pub mod tree;
pub mod trial_history;

pub use records::{Best, DataRecord, Environment, LayerRecord, Learned, NetworkRecord, Prediction, RowCounts, Status};
#[cfg(test)]
pub(crate) use trial_history::trial_for_tests;
pub use trial_history::{History, SCHEMA};
