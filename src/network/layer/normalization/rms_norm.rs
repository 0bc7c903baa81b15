//! RMS normalization (Zhang and Sennrich 2019), as PyTorch's `RMSNorm` over all values of a row, or of a time step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, positive};
use crate::config::defaults;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::normalization::affine::{affine, normalized_shape};
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::Shape;

/// `x / √(mean of x² + eps) · weight`, with the mean over each row (all of its features, or the image; of a sequence, each
/// time step); written `"rms_norm"` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmsNorm {
    /// Added to the mean square to avoid division by 0; the default is the distance from 1 to the next number, 1.19e-7.
    #[serde(default, alias = "epsilon")]
    pub eps: Option<f64>,
    /// Whether to learn a weight for each value of a row (PyTorch: `elementwise_affine`).
    #[serde(default = "defaults::yes", alias = "elementwise_affine")]
    pub affine: bool,
}

impl LayerSpec for RmsNorm {
    fn check(&self) -> Result<(), Invalid> {
        self.eps.map_or(Ok(()), |eps| positive("eps", eps))
    }

    fn parameters(&self, input: &Shape, _init: Init) -> Vec<Parameter> {
        let mut parameters = affine(normalized_shape(input), self.affine);
        parameters.truncate(1); // without a bias
        parameters
    }
}

/// `[replicas, batch, …row]` → the same shape. The weight is `[replicas, …row]`.
impl Module for Stacked<RmsNorm> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        if let [_, batch, time, _] = xs.size()[..] {
            return self.forward(&xs.flatten(1, 2)).unflatten(1, [batch, time]);
        }
        let normalized = xs.rms_norm(xs.size().split_off(2), None::<&Tensor>, self.settings.eps);
        match self.parameters.first() {
            Some(weight) => normalized * weight.unsqueeze(1),
            None => normalized,
        }
    }
}
