//! File formats of plots.

pub mod parse;
pub mod pdf;
pub mod png;
pub mod raster;
pub mod svg;
