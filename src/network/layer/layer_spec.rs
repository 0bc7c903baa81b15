//! What a layer states about itself.
//!
//! Each layer answers these questions in its own file, and nothing else keeps a list of layers: grouping, observers,
//! losses and the fused CPU backend ask here.
//!
//! No method takes or returns a tensor. `runner`, which is linked without libtorch, calls some of them through `dyn
//! LayerSpec`, and the linker would then need all of them. Layers are built in [`super::Layer::build_each`].

use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter, count_elements};
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_size::LayerSize;
use crate::tensor::shape::{Shape, ShapeError};

/// Peak memory of one row in bytes, without what does not depend on the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowMemory {
    /// Of a forward and a backward pass.
    pub training: u64,
    /// Of a forward pass in evaluation mode.
    pub evaluation: u64,
}

/// Settings of a layer, and what the layer states about itself. The defaults are those of an elementwise function
/// without settings: no parameters or buffers, and an output of the input's shape.
pub trait LayerSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// When a setting is out of range. Keys are relative to the layer's table.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Returns the shape of an output row for an input row of shape `input`, without replica and batch dimensions.
    ///
    /// # Errors
    /// When the layer does not accept rows of that shape.
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        Ok(input.clone())
    }

    /// Returns the parameters in the order in which PyTorch draws them. With the layer's index as prefix, their names
    /// are those of PyTorch's `state_dict`: `0.weight`. Layers that take part in initialization draw them by `init`, or
    /// by a scheme of their own settings.
    fn parameters(&self, _input: &Shape, _init: Init) -> Vec<Parameter> {
        Vec::new()
    }

    /// Returns the buffers, such as running averages, with their names in PyTorch's `state_dict`.
    fn buffers(&self, _input: &Shape) -> Vec<Buffer> {
        Vec::new()
    }

    /// Returns the number of multiplications, each with an addition, for one row in evaluation: those of matrix products and
    /// convolutions, without biases, normalization, pooling and elementwise functions. `None` if it is not known.
    fn multiply_adds(&self, _input: &Shape) -> Option<u64> {
        Some(0)
    }

    /// Returns the sizes of the layers in this layer.
    fn inner_sizes(&self, _input: &Shape) -> Vec<LayerSize> {
        Vec::new()
    }

    /// Returns the number of layers that this layer counts for, with all repetitions. Called before any shape is inferred.
    fn layer_count(&self) -> usize {
        1
    }

    /// Returns the size of the layer and of the layers in it, under a name. `kind` is the layer's name in experiment files.
    fn size(&self, name: String, kind: &'static str, input: &Shape) -> LayerSize {
        LayerSize {
            name,
            kind,
            output: self.output(input).unwrap_or_else(|_| input.clone()),
            parameters: count_elements(&self.parameters(input, Init::Pytorch)),
            multiply_adds: self.multiply_adds(input),
            layers: self.inner_sizes(input),
        }
    }

    /// Returns whether an output row depends on the other rows of the batch in training.
    fn mixes_rows(&self) -> bool {
        false
    }

    /// Returns whether the layer uses each weight several times per row, so that its work is larger than its number of
    /// parameters suggests.
    fn reuses_weights(&self) -> bool {
        false
    }

    /// Returns where replicas train faster in one stack than one after the other.
    fn stacking(&self) -> Stacking {
        Stacking::EveryDevice
    }

    /// Returns the memory of a row, if it was measured; otherwise it follows from the sizes of input and output.
    fn row_memory(&self, _input: &Shape) -> Option<RowMemory> {
        None
    }

    /// Returns what the fused CPU backend computes for the layer; `None` if it needs autograd.
    fn fusion(&self) -> Option<Fusion> {
        None
    }

    /// Returns what the outputs for rows of shape `input` are, which losses check if the layer is the last one.
    fn output_kind(&self, _input: &Shape) -> OutputKind {
        OutputKind::Values
    }

    /// Returns the limits of each output for inputs that tend to −∞ and ∞, if the gradient vanishes at both.
    fn saturation_limits(&self) -> Option<[f64; 2]> {
        None
    }

    /// Returns whether a unit whose output is 0 for every row is worth reporting, because its gradient is then 0 too.
    fn can_have_dead_units(&self) -> bool {
        false
    }
}

/// Devices on which replicas train faster in one stack than one after the other. Every layer supports stacks on every
/// device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stacking {
    /// CPU and GPU.
    EveryDevice,
    /// GPU only.
    GpuOnly,
}

/// What the outputs of a layer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// Any values, such as logits.
    Values,
    /// A probability for each output by itself, as from a sigmoid.
    Probabilities,
    /// Probabilities that sum to 1 over the outputs of a row, as from a softmax.
    Distribution,
    /// Logarithms of such probabilities, as from a log-softmax.
    LogDistribution,
}
