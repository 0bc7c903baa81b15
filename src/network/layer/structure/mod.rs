//! Layers that are made of layers: `residual`, `repeat` and `parallel`.
//!
//! They are generic over the layers in them, since the enum of all layers contains them.

mod block;
mod chain;
mod nested_layer;
mod parallel;
mod repeat;
mod residual;
mod shape;

pub use nested_layer::NestedLayer;
pub use parallel::{Join, Parallel};
pub use repeat::Repeat;
pub use residual::Residual;
pub use shape::{Permute, Reshape};
