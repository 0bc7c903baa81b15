//! Results of a sweep: its configurations, best first.

pub mod best_file;
pub mod configuration_result;
pub mod csv;
pub mod metric_values;
pub mod ranking;

pub use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
pub use crate::sweep::results::ranking::Ranking;
