//! Plots and the HTML report.

mod page;
mod plots;
mod row_plots;
mod tree_plots;
