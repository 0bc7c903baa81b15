//! File formats of plots.

pub mod png;
pub mod raster;
pub mod svg;
