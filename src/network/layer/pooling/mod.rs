//! Pooling layers: maximum or average over windows of an image, or over all positions.

mod avg_pool2d;
mod global_avg_pool;
mod max_pool2d;
mod pool2d;

pub use avg_pool2d::AvgPool2d;
pub use global_avg_pool::GlobalAvgPool;
pub use max_pool2d::MaxPool2d;
