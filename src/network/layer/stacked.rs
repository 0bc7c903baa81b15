//! A layer of a stack with its tensors.

use tch::Tensor;

use crate::network::arena::LayerTensors;

/// A layer of a stack with its settings and tensors, each `[replicas, …shape]`. Its computation, a [`tch::nn::Module`] or
/// [`tch::nn::ModuleT`], is in the layer's file.
#[derive(Debug)]
pub struct Stacked<S> {
    /// The layer's settings.
    pub settings: S,
    /// The parameters, in the order in which the layer states them.
    pub parameters: Vec<Tensor>,
    /// The buffers, in the order in which the layer states them.
    pub buffers: Vec<Tensor>,
}

impl<S: Clone> Stacked<S> {
    /// Builds the layer from its parameters and buffers.
    pub fn new(settings: &S, LayerTensors { parameters, buffers }: LayerTensors) -> Self {
        Stacked { settings: settings.clone(), parameters, buffers }
    }
}
