//! Layers that are repeated, each time with parameters of their own.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::ModuleT;

use crate::config::check::{Invalid, at_least_one};
use crate::config::shorthand::named_list;
use crate::network::arena::LayerTensors;
use crate::network::layer::structure::block::Block;
use crate::network::layer::structure::chain::{self, Chain};
use crate::network::layer::structure::nested_layer::NestedLayer;
use crate::tensor::shape::{Shape, ShapeError};

/// The layers several times, each time with new parameters; written `{ repeat = { times = 3, layers = […] } }`.
///
/// Names in the `state_dict` are those of one `nn.Sequential` with all layers: `0.weight`, `1.weight`, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "L: Deserialize<'de>"))]
pub struct Repeat<L> {
    /// How often the layers are repeated.
    pub times: usize,
    /// The layers.
    #[serde(deserialize_with = "named_list")]
    pub layers: Vec<L>,
}

impl<L: NestedLayer> Repeat<L> {
    /// Returns all layers. Their number is checked before, by `layer_count`.
    fn expanded(&self) -> Vec<L> {
        std::iter::repeat_n(&self.layers, self.times).flatten().cloned().collect()
    }

    /// Builds the layers with the settings of each replica, from their tensors.
    pub fn build_each(replicas: &[&Self], input: &Shape, tensors: LayerTensors) -> Box<dyn ModuleT> {
        let layers: Vec<Vec<L>> = replicas.iter().map(|replica| replica.expanded()).collect();
        let layers: Vec<&[L]> = layers.iter().map(Vec::as_slice).collect();
        let (mut parameters, mut buffers) = (tensors.parameters.into_iter(), tensors.buffers.into_iter());
        Box::new(Chain::build(&layers, input, &mut parameters, &mut buffers))
    }

    /// Returns the layers with fixed values for the settings that replicas of a stack have separately.
    pub fn shared(&self) -> Self {
        Repeat { times: self.times, layers: chain::shared(&self.layers) }
    }
}

impl<L: NestedLayer> Block for Repeat<L> {
    type Inner = L;

    fn check_settings(&self) -> Result<(), Invalid> {
        at_least_one("times", self.times)?;
        chain::check(&self.layers, "layers")
    }

    fn joined_output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        chain::output(&self.expanded(), input)
    }

    fn chains(&self) -> Vec<(String, Cow<'_, [L]>)> {
        vec![(String::new(), Cow::Owned(self.expanded()))]
    }

    fn inner_layer_count(&self) -> usize {
        chain::layer_count(&self.layers).saturating_mul(self.times)
    }
}
