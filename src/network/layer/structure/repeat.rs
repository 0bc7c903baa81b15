//! Layers that are repeated, each time with parameters of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, at_least_one};
use crate::config::shorthand::named_list;
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::structure::chain::{self, Chain};
use crate::network::layer::structure::nested_layer::NestedLayer;
use crate::tensor::shape::{Shape, ShapeError};

/// Maximum number of layers after expansion.
const MOST_LAYERS: usize = 10_000;

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
    /// Returns all layers.
    fn expanded(&self) -> Vec<L> {
        let count = self.layers.len().saturating_mul(self.times).min(MOST_LAYERS);
        self.layers.iter().cycle().take(count).cloned().collect()
    }

    /// Builds the layers with the settings of each replica, from their parameters and buffers.
    pub fn build_each(
        replicas: &[&Self],
        input: &Shape,
        parameters: Vec<Tensor>,
        buffers: Vec<Tensor>,
    ) -> Box<dyn ModuleT> {
        let layers: Vec<Vec<L>> = replicas.iter().map(|replica| replica.expanded()).collect();
        let layers: Vec<&[L]> = layers.iter().map(Vec::as_slice).collect();
        Box::new(Chain::build(&layers, input, &mut parameters.into_iter(), &mut buffers.into_iter()))
    }

    /// Returns the layers with fixed values for the settings that replicas of a stack have separately.
    pub fn shared(&self) -> Self {
        Repeat { times: self.times, layers: chain::shared(&self.layers) }
    }
}

impl<L: NestedLayer> LayerSpec for Repeat<L> {
    fn kind(&self) -> &'static str {
        "repeat"
    }

    fn check(&self) -> Result<(), Invalid> {
        at_least_one("times", self.times)?;
        chain::check(&self.layers, "layers")?;
        match self.layers.len().checked_mul(self.times) {
            Some(count) if count <= MOST_LAYERS => Ok(()),
            _ => Err(Invalid::new("times", format!("gives more than {MOST_LAYERS} layers, found {}", self.times))),
        }
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        chain::output(&self.expanded(), input)
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        chain::parameters(&self.expanded(), input, init)
    }

    fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        chain::buffers(&self.expanded(), input)
    }

    fn mixes_rows(&self) -> bool {
        chain::any(&self.layers, |layer| layer.mixes_rows())
    }

    fn reuses_weights(&self) -> bool {
        chain::any(&self.layers, |layer| layer.reuses_weights())
    }

    fn stacking(&self) -> Stacking {
        chain::stacking(&self.layers)
    }
}
