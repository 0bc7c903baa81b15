//! Group normalization (Wu and He 2018), as PyTorch's `GroupNorm`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, at_least_one, positive};
use crate::config::defaults;
use crate::config::shorthand::{FromNumber, size};
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::normalization::affine::{affine, eps, of_all_channels};
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::{Shape, ShapeError};

/// `(x − mean) / √(variance + eps) · weight + bias`, with the mean and biased variance of each group of channels of a
/// row, and a weight and a bias for each channel; written `{ group_norm = 4 }` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    /// Number of groups; the number of channels must be a multiple (PyTorch: `num_groups`).
    #[serde(alias = "num_groups")]
    pub groups: usize,
    /// Added to the variance to avoid division by 0.
    #[serde(default = "eps", alias = "epsilon")]
    pub eps: f64,
    /// Whether to learn a weight and a bias for each channel.
    #[serde(default = "defaults::yes")]
    pub affine: bool,
}

impl FromNumber for GroupNorm {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(GroupNorm { groups: size(number, "the number of groups")?, eps: eps(), affine: true })
    }
}

impl LayerSpec for GroupNorm {
    fn check(&self) -> Result<(), Invalid> {
        at_least_one("groups", self.groups)?;
        positive("eps", self.eps)
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match input.dimensions()[0] % self.groups as i64 {
            0 => Ok(input.clone()),
            _ => {
                let wanted =
                    format!("rows whose first dimension, the channels, is a multiple of its {} groups", self.groups);
                Err(ShapeError::new(input, wanted, "change `groups`, or the channels of the layer before"))
            }
        }
    }

    fn parameters(&self, input: &Shape, _init: Init) -> Vec<Parameter> {
        affine(vec![input.dimensions()[0]], self.affine)
    }
}

/// `[replicas, batch, channels, …]` → the same shape. The weight and the bias are `[replicas, channels]`.
impl Module for Stacked<GroupNorm> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let replicas = xs.size()[0];
        let [weight, bias] = [0, 1].map(|number| of_all_channels(&self.parameters, number));
        let GroupNorm { groups, eps, .. } = self.settings;
        let groups = replicas * groups as i64;
        split_replicas(&merge_replicas(xs).group_norm(groups, weight, bias, eps, true), replicas)
    }
}
