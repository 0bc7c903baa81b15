//! Normalization layers.

mod batch_norm;
mod layer_norm;

pub use batch_norm::{BatchNorm, StackedBatchNorm};
pub use layer_norm::{LayerNorm, StackedLayerNorm};
