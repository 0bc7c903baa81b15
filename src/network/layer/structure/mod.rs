//! Layers that are made of layers: `residual`, `repeat` and `parallel`.
//!
//! They are generic over the layers in them, since the enum of all layers contains them.

mod block;
mod chain;
mod nested_layer;
mod parallel;
mod permute;
mod repeat;
mod reshape;
mod residual;

pub use nested_layer::NestedLayer;
pub use parallel::{Join, Parallel};
pub use permute::Permute;
pub use repeat::Repeat;
pub use reshape::Reshape;
pub use residual::Residual;
