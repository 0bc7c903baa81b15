//! Pictures: learning curves and what else a run has to show, as SVG, and as PNG drawn from it.
//!
//! From the paper upwards: [`svg`] writes elements, [`font`] measures text; [`axis`] and [`ticks`] lay values out,
//! [`panel`] draws what lies between two axes, [`grid`] puts panels side by side, and [`page`] sets title, legend and
//! notes around them. On top of these is a room for each kind of picture, such as [`curves`]. The same input gives the
//! same bytes.

pub mod charts;
pub mod draw;
pub mod format;
#[cfg(test)]
mod tests_of_pictures;

use crate::plot::format::svg::Svg;

/// A picture, and what is to be said of it.
#[derive(Debug)]
pub struct Drawn {
    /// The picture.
    pub svg: Svg,
    /// What was left out and why, a sentence each.
    pub notes: Vec<String>,
}
