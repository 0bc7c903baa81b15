//! Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016), as PyTorch's `InstanceNorm1d` and `InstanceNorm2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, positive, require};
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::normalization::affine::{affine, eps, momentum, of_all_channels};
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::{Shape, ShapeError};

/// `(x − mean) / √(variance + eps)`, with the mean and biased variance of each channel of a row; written
/// `"instance_norm"` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceNorm {
    /// Added to the variance to avoid division by 0.
    #[serde(default = "eps", alias = "epsilon")]
    pub eps: f64,
    /// Whether to learn a weight and a bias for each channel.
    #[serde(default)]
    pub affine: bool,
    /// Whether to use running averages of the mean and the unbiased variance in evaluation.
    #[serde(default)]
    pub track_running_stats: bool,
    /// Weight of the new batch in the running averages, as in PyTorch.
    #[serde(default = "momentum")]
    pub momentum: f64,
}

impl LayerSpec for InstanceNorm {
    fn check(&self) -> Result<(), Invalid> {
        positive("eps", self.eps)?;
        require((0.0..=1.0).contains(&self.momentum), "momentum", "must be between 0 and 1", self.momentum)
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match input.dimensions() {
            [_, lengths @ ..] if (1..3).contains(&lengths.len()) && lengths.iter().product::<i64>() > 1 => {
                Ok(input.clone())
            }
            _ => {
                let wanted = "channels×length or channels×height×width, with more than one value for each channel";
                Err(ShapeError::new(
                    input,
                    wanted,
                    "for images, set `flatten = false` in the table of the data set; else use `layer_norm`",
                ))
            }
        }
    }

    fn parameters(&self, input: &Shape, _init: Init) -> Vec<Parameter> {
        affine(vec![input.dimensions()[0]], self.affine)
    }

    fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        if self.track_running_stats { Buffer::running_averages(input.dimensions()[0]) } else { Vec::new() }
    }
}

/// `[replicas, batch, channels, …]` → the same shape. The weight, the bias and the running averages are `[replicas, channels]`;
/// the count of batches does not change.
impl ModuleT for Stacked<InstanceNorm> {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let [weight, bias] = [0, 1].map(|number| of_all_channels(&self.parameters, number));
        let [mean, var] = [0, 1].map(|number| self.buffers.get(number).map(|average| average.view([-1])));
        let uses_batch = train || mean.is_none();
        let InstanceNorm { eps, momentum, .. } = self.settings;
        let ys = merge_replicas(xs).instance_norm(weight, bias, mean, var, uses_batch, momentum, eps, true);
        split_replicas(&ys, xs.size()[0])
    }
}
