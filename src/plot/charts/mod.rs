//! The kinds of plots.

pub mod best_first;
pub mod classes;
pub mod confusion;
pub mod curves;
pub mod epoch_marks;
pub mod heat_map;
pub mod layers;
mod mean_confusion;
pub mod metric_labels;
pub mod run_plots;
pub mod samples;
pub mod scores;
pub mod setting;
mod setting_axis;
pub mod strip_plot;
pub mod sweep;
pub mod titles;
