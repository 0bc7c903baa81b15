//! Pictures: learning curves and what else a run has to show, as SVG, and as PNG drawn from it.
//!
//! From the paper upwards: [`svg`] writes elements, [`font`] measures text; [`axis`] and [`ticks`] lay values out,
//! [`panel`] draws what lies between two axes, [`grid`] puts panels side by side, and [`page`] sets title, legend and
//! notes around them. On top of these is a room for each kind of picture, such as [`curves`]. The same input gives the
//! same bytes.

pub mod axis;
pub mod classes;
pub mod color;
pub mod confusion;
pub mod curve_panel;
pub mod curve_words;
pub mod curves;
pub mod dots;
pub mod font;
pub mod grid;
pub mod heat_map;
pub mod labels;
pub mod layers;
pub mod legend;
pub mod line;
pub mod marker;
pub mod names;
pub mod of_run;
pub mod page;
pub mod panel;
pub mod png;
pub mod ranking;
pub mod raster;
pub mod samples;
pub mod series;
pub mod shape;
pub mod subject;
pub mod svg;
pub mod thresholds;
pub mod ticks;
pub mod turning;

#[cfg(test)]
mod tests_of_pictures;

use svg::Svg;

/// A picture, and what is to be said of it.
#[derive(Debug)]
pub struct Drawn {
    /// The picture.
    pub svg: Svg,
    /// What was left out and why, a sentence each.
    pub notes: Vec<String>,
}
