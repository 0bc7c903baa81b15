//! The history of a trial: one JSON file with its settings, learning curves and results.
//!
//! `runner schema` prints the JSON Schema of these types. Within one version of the format (`runner.history/2`), keys are
//! only added. Histories of earlier versions are read for ever: a renamed key keeps its former name as an alias.

pub mod baseline;
pub mod classification_report;
pub mod curves;
pub mod diagnosis;
pub mod difference;
pub mod event_file;
pub mod expectation;
pub mod foreign;
pub mod metric_path;
pub mod number;
pub mod positive_class;
pub mod provenance;
pub mod readable_json;
pub mod reference;
pub mod resampling;
pub mod test_record;
pub mod tree;
pub mod trial_fields;
pub mod trial_history;

pub use trial_fields::{
    Best, DataRecord, Environment, LayerRecord, Learned, ModuleRecord, NetworkRecord, Prediction, RowCounts, Status,
};
#[cfg(test)]
pub(crate) use trial_history::trial_for_tests;
pub use trial_history::{History, SCHEMA};
