//! Branches that get the same input.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::NamedList;
use crate::network::arena::LayerTensors;
use crate::network::layer::structure::block::Block;
use crate::network::layer::structure::chain::{self, Chain};
use crate::network::layer::structure::nested_layer::NestedLayer;
use crate::tensor::shape::{Shape, ShapeError};

/// Branches that get the same input, and whose outputs are joined; written `{ parallel = { branches = [[…], […]], join =
/// "concat" } }`.
///
/// Names in the `state_dict` are those of an `nn.ModuleList` of `nn.Sequential`s: `0.0.weight`, `1.0.weight`, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "L: Deserialize<'de>"))]
pub struct Parallel<L> {
    /// The layers of each branch; an empty branch passes its input on.
    #[serde(deserialize_with = "branches")]
    pub branches: Vec<Vec<L>>,
    /// How the outputs are joined.
    #[serde(default)]
    pub join: Join,
}

/// How the outputs of branches are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// One after the other along the first dimension of a row: channels, or features; of sequences, along their features.
    #[default]
    Concat,
    /// Their sum.
    Add,
}

fn branches<'de, D: Deserializer<'de>, L: Deserialize<'de>>(deserializer: D) -> Result<Vec<Vec<L>>, D::Error> {
    let branches = Vec::<NamedList<L>>::deserialize(deserializer)?;
    Ok(branches.into_iter().map(|branch| branch.0).collect())
}

/// Returns the index of the dimension of a row along which outputs are concatenated.
fn joined_dimension(row: &Shape) -> usize {
    if row.dimensions().len() == 2 { 1 } else { 0 }
}

impl<L: NestedLayer> Parallel<L> {
    /// Builds the branches with the settings of each replica, from their tensors.
    pub fn build_each(replicas: &[&Self], input: &Shape, tensors: LayerTensors) -> Box<dyn ModuleT> {
        let (mut parameters, mut buffers) = (tensors.parameters.into_iter(), tensors.buffers.into_iter());
        let first = replicas[0];
        let branches = (0..first.branches.len()).map(|number| {
            let layers: Vec<&[L]> = replicas.iter().map(|replica| &replica.branches[number][..]).collect();
            Chain::build(&layers, input, &mut parameters, &mut buffers)
        });
        let branches: Vec<Chain> = branches.collect();
        let row = first.joined_output(input).unwrap_or_else(|_| input.clone());
        Box::new(StackedParallel { branches, join: first.join, dimension: 2 + joined_dimension(&row) as i64 })
    }

    /// Returns the branches with fixed values for the settings that replicas of a stack have separately.
    pub fn shared(&self) -> Self {
        Parallel { branches: self.branches.iter().map(|branch| chain::shared(branch)).collect(), join: self.join }
    }
}

impl<L: NestedLayer> Block for Parallel<L> {
    type Inner = L;

    fn check_settings(&self) -> Result<(), Invalid> {
        if self.branches.len() < 2 {
            return Err(Invalid::new("branches", format!("must have at least 2 items, found {}", self.branches.len())));
        }
        let mut checked = self.branches.iter().enumerate().filter(|(_, branch)| !branch.is_empty());
        checked.try_for_each(|(number, branch)| chain::check(branch, &format!("branches.{number}")))
    }

    fn joined_output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let outputs = self.branches.iter().map(|branch| chain::output(branch, input));
        let outputs: Vec<Shape> = outputs.collect::<Result<_, _>>()?;
        let dimension = joined_dimension(&outputs[0]);
        let without = |shape: &Shape| {
            let mut lengths = shape.dimensions().to_vec();
            if self.join == Join::Concat && dimension < lengths.len() {
                lengths[dimension] = 0;
            }
            lengths
        };
        if let Some(other) = outputs.iter().find(|output| without(output) != without(&outputs[0])) {
            let message = format!("cannot join its branches: they return {} and {other}", outputs[0]);
            return Err(ShapeError::with_problem(input, message, "give the branches outputs of the same shape"));
        }
        let mut joined = outputs[0].dimensions().to_vec();
        if self.join == Join::Concat {
            joined[dimension] = outputs.iter().map(|output| output.dimensions()[dimension]).sum();
        }
        Ok(Shape::from(&joined[..]))
    }

    fn chains(&self) -> Vec<(String, Cow<'_, [L]>)> {
        let branches = self.branches.iter().enumerate();
        branches.map(|(number, branch)| (format!("{number}."), Cow::Borrowed(&branch[..]))).collect()
    }
}

/// Branches of a stack: `[replicas, batch, …]` → `[replicas, batch, …output]`.
#[derive(Debug)]
struct StackedParallel {
    branches: Vec<Chain>,
    join: Join,
    dimension: i64, // of the tensors, along which outputs are concatenated
}

impl ModuleT for StackedParallel {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let outputs: Vec<Tensor> = self.branches.iter().map(|branch| branch.forward_t(xs, train)).collect();
        match self.join {
            Join::Concat => Tensor::cat(&outputs, self.dimension),
            Join::Add => outputs.into_iter().reduce(|sum, output| sum + output).expect("there are branches"),
        }
    }
}
