//! Layer normalization (Ba, Kiros and Hinton 2016), as PyTorch's `LayerNorm` over all values of a row, or of a time step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, positive};
use crate::config::defaults;
use crate::network::init::{Init, Parameter};
use crate::network::layer::fusion::{FusedNormalization, Fusion};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::normalization::affine::{affine, eps, normalized_shape};
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::Shape;

/// `(x − mean) / √(variance + eps) · weight + bias`, with the mean and biased variance of each row (all of its
/// features, or the image; of a sequence, each time step); written `"layer_norm"` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Added to the variance to avoid division by 0.
    #[serde(default = "eps", alias = "epsilon")]
    pub eps: f64,
    /// Whether to learn a weight and a bias for each value of a row (PyTorch: `elementwise_affine`).
    #[serde(default = "defaults::yes", alias = "elementwise_affine")]
    pub affine: bool,
}

impl LayerSpec for LayerNorm {
    fn check(&self) -> Result<(), Invalid> {
        positive("eps", self.eps)
    }

    fn parameters(&self, input: &Shape, _init: Init) -> Vec<Parameter> {
        affine(normalized_shape(input), self.affine)
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Normalization(FusedNormalization::Layer { eps: self.eps }))
    }
}

/// `[replicas, batch, …row]` → the same shape. The weight and the bias are `[replicas, …row]`.
impl Module for Stacked<LayerNorm> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if let [_, batch, time, _] = xs.size()[..] {
            return self.forward(&xs.flatten(1, 2)).unflatten(1, [batch, time]);
        }
        let row = xs.size().split_off(2);
        let normalized = xs.layer_norm(row, None::<&Tensor>, None::<&Tensor>, self.settings.eps, true);
        match &self.parameters[..] {
            [weight, bias] => bias.unsqueeze(1).addcmul(&normalized, &weight.unsqueeze(1)),
            _ => normalized,
        }
    }
}
