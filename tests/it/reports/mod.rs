//! Plots and the HTML report.

mod page;
mod plots;
