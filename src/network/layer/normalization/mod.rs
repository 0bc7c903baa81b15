//! Normalization layers.

mod affine;
mod batch_norm;
mod group_norm;
mod instance_norm;
mod layer_norm;
mod rms_norm;

pub use batch_norm::{BatchNorm, StackedBatchNorm};
pub use group_norm::{GroupNorm, StackedGroupNorm};
pub use instance_norm::{InstanceNorm, StackedInstanceNorm};
pub use layer_norm::{LayerNorm, StackedLayerNorm};
pub use rms_norm::{RmsNorm, StackedRmsNorm};
