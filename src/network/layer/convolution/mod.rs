//! Convolution layers of signals and images.

mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod padding;
mod stacked_convolution;

pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use stacked_convolution::StackedConvolution;
