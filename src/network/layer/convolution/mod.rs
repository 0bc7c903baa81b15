//! Convolution layers of signals and images.

mod conv;
mod conv_transpose2d;
mod padding;
mod stacked_convolution;

pub use conv::{Conv1d, Conv2d};
pub use conv_transpose2d::ConvTranspose2d;
pub use stacked_convolution::StackedConvolution;
