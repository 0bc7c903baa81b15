//! Convolution layers of images and signals.

mod conv2d;

pub use conv2d::{Conv2d, StackedConv2d};
