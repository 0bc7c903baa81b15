//! Results of a sweep: its configurations, best first.

pub mod best_so_far;
pub mod configuration_result;
pub mod csv;
pub mod expectations;
pub mod expected_best;
pub mod failure_reasons;
pub mod further_seeds;
pub mod metric_values;
pub mod notes;
pub mod overview;
pub mod ranking;
pub mod setting_column;
pub mod setting_importance;

pub use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
pub use crate::sweep::results::overview::Overview;
pub use crate::sweep::results::ranking::Ranking;
