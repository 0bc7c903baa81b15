//! Networks: layers whose parameters are views of one arena, with a leading replica axis.

pub mod arena;
pub mod init;
pub mod initial_weights;
pub mod layer;
pub mod stack;
pub mod state_dict;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::shorthand::{named, named_list};

/// The `[network]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Initialization scheme of the weights; a layer can override it.
    #[serde(default, deserialize_with = "named")]
    pub init: init::Init,
    /// Trained weights to start from, instead of random ones: a run, `RUN/VARIANT`, or a `.safetensors` file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<initial_weights::InitialWeights>,
    /// The layers in order.
    #[serde(deserialize_with = "named_list")]
    pub layers: Vec<layer::Layer>,
}
