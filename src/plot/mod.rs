//! Plots: learning curves, confusion matrices and others, as SVG, and as PNG rendered from the SVG.
//!
//! The layers, from low to high: [`svg`](format::svg) writes elements, [`font`](draw::font) measures text;
//! [`axis`](draw::axis) and [`ticks`](draw::ticks) map values to positions, [`panel`](draw::panel) draws the area
//! between two axes, [`grid`](draw::grid) arranges panels, and [`page`](draw::page) adds title, legend and notes. Each
//! kind of plot, such as [`curves`](charts::curves), is a module on top of these. The same input gives the same bytes.

pub mod charts;
pub mod draw;
pub mod format;
#[cfg(test)]
mod layout_checks;

use crate::plot::format::svg::Svg;

/// A plot with remarks about it.
#[derive(Debug)]
pub struct Plot {
    /// The plot.
    pub svg: Svg,
    /// What was left out and why, one sentence each.
    pub notes: Vec<String>,
}
