//! Pooling layers: maximum or average over windows of a signal or an image, or over all positions.

mod any_size;
mod pool;
mod pooling_layers;

pub use any_size::{AdaptiveAvgPool2d, GlobalAvgPool};
pub use pooling_layers::{AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d};
