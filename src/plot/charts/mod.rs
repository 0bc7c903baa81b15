//! The kinds of plots.

pub mod classes;
pub mod confusion;
mod confusion_matrix;
pub mod curves;
pub mod dots;
pub mod heat_map;
pub mod layers;
pub mod metric_names;
pub mod roc_pr;
pub mod run_figures;
pub mod samples;
pub mod subject;
pub mod thresholds;
