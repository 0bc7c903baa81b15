//! Interface of the layers in a block.

use tch::Tensor;
use tch::nn::ModuleT;

use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::Shape;

/// A layer that can be part of a block.
pub trait NestedLayer: Clone {
    /// Returns what the layer states about itself.
    fn spec(&self) -> &dyn LayerSpec;

    /// Builds the layer for rows of shape `input` with the settings of each replica, from its parameters and buffers,
    /// `[replicas, …shape]` each.
    fn build_each(replicas: &[&Self], input: &Shape, parameters: Vec<Tensor>, buffers: Vec<Tensor>)
    -> Box<dyn ModuleT>;

    /// Returns the layer with fixed values for the settings that replicas of a stack have separately.
    fn shared(&self) -> Self;

    /// Returns whether the layer can be part of a block: a TorchScript module cannot.
    fn can_be_nested(&self) -> bool;
}
