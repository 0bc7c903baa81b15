//! Residual block: the layers' output plus their input.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::named_list;
use crate::network::arena::LayerTensors;
use crate::network::layer::structure::block::Block;
use crate::network::layer::structure::chain::{self, Chain};
use crate::network::layer::structure::nested_layer::NestedLayer;
use crate::tensor::shape::{Shape, ShapeError};

/// `x + layers(x)`, or `projection(x) + layers(x)` (He et al. 2016); written `{ residual = […] }` or with a projection.
///
/// Names in the `state_dict` are `layers.0.weight` and `projection.0.weight`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "L: Deserialize<'de>"))]
pub struct Residual<L> {
    /// The layers of the branch, whose output is added to the input.
    #[serde(deserialize_with = "named_list")]
    pub layers: Vec<L>,
    /// Layers that give the input the shape of the output, such as a convolution with a 1×1 kernel and a stride. Without
    /// them, both shapes must be equal.
    #[serde(default, deserialize_with = "named_list", skip_serializing_if = "Vec::is_empty")]
    pub projection: Vec<L>,
}

impl<L> From<Vec<L>> for Residual<L> {
    fn from(layers: Vec<L>) -> Self {
        Residual { layers, projection: Vec::new() }
    }
}

impl<L: NestedLayer> Block for Residual<L> {
    type Inner = L;

    fn check_settings(&self) -> Result<(), Invalid> {
        chain::check(&self.layers, "layers")?;
        if self.projection.is_empty() { Ok(()) } else { chain::check(&self.projection, "projection") }
    }

    fn joined_output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let output = chain::output(&self.layers, input)?;
        let added = chain::output(&self.projection, input)?;
        if output == added {
            return Ok(output);
        }
        let what =
            if self.projection.is_empty() { "its input has the shape" } else { "its projection returns the shape" };
        let message = format!("cannot add its branches: its layers return the shape {output}, and {what} {added}");
        Err(ShapeError::with_problem(
            input,
            message,
            "write `residual = { layers = […], projection = […] }`, whose projection returns the shape of the layers' output",
        ))
    }

    fn chains(&self) -> Vec<(String, Cow<'_, [L]>)> {
        let named = [("layers.", &self.layers), ("projection.", &self.projection)];
        named.map(|(prefix, layers)| (prefix.to_owned(), Cow::Borrowed(&layers[..]))).into()
    }
}

impl<L: NestedLayer> Residual<L> {
    /// Builds the block with the settings of each replica, from its tensors.
    pub fn build_each(replicas: &[&Self], input: &Shape, tensors: LayerTensors) -> Box<dyn ModuleT> {
        let (mut parameters, mut buffers) = (tensors.parameters.into_iter(), tensors.buffers.into_iter());
        let mut build = |layers: fn(&Self) -> &[L]| {
            let layers: Vec<&[L]> = replicas.iter().map(|replica| layers(replica)).collect();
            Chain::build(&layers, input, &mut parameters, &mut buffers)
        };
        let layers = build(|block| &block.layers);
        Box::new(StackedResidual { layers, projection: build(|block| &block.projection) })
    }

    /// Returns the block with fixed values for the settings that replicas of a stack have separately.
    pub fn shared(&self) -> Self {
        Residual { layers: chain::shared(&self.layers), projection: chain::shared(&self.projection) }
    }
}

/// Residual block of a stack: `[replicas, batch, …]` → `[replicas, batch, …output]`.
#[derive(Debug)]
struct StackedResidual {
    layers: Chain,
    projection: Chain, // without layers, the input itself
}

impl ModuleT for StackedResidual {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let output = self.layers.forward_t(xs, train);
        self.projection.forward_t(xs, train) + output
    }
}
