//! Pooling layers: maximum or average over windows of a signal or an image, or over all positions.

mod adaptive_avg_pool2d;
mod global_avg_pool;
mod pool1d;
mod pool2d;
mod pooling_layers;

pub use adaptive_avg_pool2d::AdaptiveAvgPool2d;
pub use global_avg_pool::GlobalAvgPool;
pub use pooling_layers::{AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d};
