//! Networks: layers whose parameters are views of one arena, with a leading replica axis.

pub mod arena;
pub mod init;
pub mod initial_weights;
pub mod layer;
pub mod stack;
pub mod state_dict;
pub mod torchscript;

use std::borrow::Cow;

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
    /// A network written in PyTorch, instead of layers: the path of its TorchScript file, relative to this file. With
    /// `{seed}` in it, each seed has a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torchscript: Option<torchscript::TorchScript>,
    /// The layers in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "named_list")]
    pub layers: Vec<layer::Layer>,
}

impl NetworkSpec {
    /// Returns the layers; a network written in PyTorch is one layer.
    pub fn layers(&self) -> Cow<'_, [layer::Layer]> {
        match &self.torchscript {
            Some(module) => Cow::Owned(vec![layer::Layer::TorchScript(module.clone())]),
            None => Cow::Borrowed(&self.layers),
        }
    }

    /// Returns the TorchScript modules, each with its key relative to the network.
    pub fn modules_mut(&mut self) -> Vec<(String, &mut torchscript::TorchScript)> {
        let whole = self.torchscript.iter_mut().map(|module| ("torchscript".to_owned(), module));
        let layers = self.layers.iter_mut().enumerate().filter_map(|(number, layer)| match layer {
            layer::Layer::TorchScript(module) => Some((format!("layers.{number}.torchscript"), module)),
            _ => None,
        });
        whole.chain(layers).collect()
    }
}
