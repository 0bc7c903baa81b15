//! What layers made of layers have in common.

use std::borrow::Cow;

use crate::config::check::Invalid;
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_size::LayerSize;
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::structure::chain;
use crate::network::layer::structure::nested_layer::NestedLayer;
use crate::tensor::shape::{Shape, ShapeError};

/// A layer made of chains of layers, each of which gets the layer's input. What it states about itself follows from them.
pub trait Block {
    /// The type of the layers in it.
    type Inner: NestedLayer;

    /// Checks the settings; see [`LayerSpec::check`].
    ///
    /// # Errors
    /// When a setting is out of range.
    fn check_settings(&self) -> Result<(), Invalid>;

    /// Returns the shape of an output row; see [`LayerSpec::output`].
    ///
    /// # Errors
    /// When the layer does not accept rows of shape `input`.
    fn joined_output(&self, input: &Shape) -> Result<Shape, ShapeError>;

    /// Returns the chains, each with its prefix in the `state_dict`: `layers.`, or nothing.
    fn chains(&self) -> Vec<(String, Cow<'_, [Self::Inner]>)>;

    /// Returns the number of layers in all chains; see [`LayerSpec::layer_count`].
    fn inner_layer_count(&self) -> usize {
        self.chains().iter().map(|(_, layers)| chain::layer_count(layers)).fold(0, usize::saturating_add)
    }
}

/// Returns whether one of the layers in a block has a property.
fn any<B: Block>(block: &B, property: impl Fn(&dyn LayerSpec) -> bool) -> bool {
    block.chains().iter().any(|(_, layers)| layers.iter().any(|layer| property(layer.spec())))
}

impl<B: Block> LayerSpec for B {
    fn check(&self) -> Result<(), Invalid> {
        self.check_settings()
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        self.joined_output(input)
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let chains = self.chains().into_iter();
        chains.flat_map(|(prefix, layers)| chain::parameters(&layers, &prefix, input, init)).collect()
    }

    fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        self.chains().into_iter().flat_map(|(prefix, layers)| chain::buffers(&layers, &prefix, input)).collect()
    }

    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        self.inner_sizes(input).iter().map(|layer| layer.multiply_adds).sum()
    }

    fn inner_sizes(&self, input: &Shape) -> Vec<LayerSize> {
        self.chains().into_iter().flat_map(|(prefix, layers)| chain::sizes(&layers, &prefix, input)).collect()
    }

    fn layer_count(&self) -> usize {
        self.inner_layer_count()
    }

    fn mixes_rows(&self) -> bool {
        any(self, |layer| layer.mixes_rows())
    }

    fn reuses_weights(&self) -> bool {
        any(self, |layer| layer.reuses_weights())
    }

    fn stacking(&self) -> Stacking {
        match any(self, |layer| layer.stacking() == Stacking::GpuOnly) {
            true => Stacking::GpuOnly,
            false => Stacking::EveryDevice,
        }
    }
}
