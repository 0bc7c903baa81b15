//! Pooling layers: maximum or average over windows of a signal or an image, or over all positions.

mod adaptive_avg_pool2d;
mod avg_pool1d;
mod avg_pool2d;
mod global_avg_pool;
mod max_pool1d;
mod max_pool2d;
mod pool1d;
mod pool2d;

pub use adaptive_avg_pool2d::AdaptiveAvgPool2d;
pub use avg_pool1d::AvgPool1d;
pub use avg_pool2d::AvgPool2d;
pub use global_avg_pool::GlobalAvgPool;
pub use max_pool1d::MaxPool1d;
pub use max_pool2d::MaxPool2d;
