//! Interface of the layers in a block.

use tch::nn::ModuleT;

use crate::network::arena::LayerTensors;
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::Shape;

/// A layer that can be part of a block.
pub trait NestedLayer: Clone {
    /// Returns the layer's name in experiment files.
    fn kind(&self) -> &'static str;

    /// Returns what the layer states about itself.
    fn spec(&self) -> &dyn LayerSpec;

    /// Builds the layer for rows of shape `input` with the settings of each replica, from its tensors, `[replicas, …shape]`
    /// each.
    fn build_each(replicas: &[&Self], input: &Shape, tensors: LayerTensors) -> Box<dyn ModuleT>;

    /// Returns the layer with fixed values for the settings that replicas of a stack have separately.
    fn shared(&self) -> Self;

    /// Returns whether the layer can be part of a block: a TorchScript module cannot.
    fn can_be_nested(&self) -> bool;
}
