//! Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016), as PyTorch's `InstanceNorm1d` and `InstanceNorm2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, positive, require};
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::normalization::affine::{affine, of_all_channels};
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
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
    #[serde(default = "tenth")]
    pub momentum: f64,
}

fn eps() -> f64 {
    1e-5
}

fn tenth() -> f64 {
    0.1
}

impl LayerSpec for InstanceNorm {
    fn kind(&self) -> &'static str {
        "instance_norm"
    }

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
                Err(ShapeError::new(input, wanted, "set `flatten = false` in the data of images, or use `layer_norm`"))
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

/// Instance normalization layer of a stack: `[replicas, batch, channels, …]` → the same shape.
#[derive(Debug)]
pub struct StackedInstanceNorm {
    eps: f64,
    momentum: f64,
    parameters: Vec<Tensor>, // weight and bias, [replicas, channels] each, or none
    buffers: Vec<Tensor>,    // running mean and variance, [replicas, channels] each, and a count that does not change
}

impl StackedInstanceNorm {
    /// Builds the layer from its parameters and buffers, if it has any.
    pub fn new(settings: &InstanceNorm, parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Self {
        let InstanceNorm { eps, momentum, .. } = *settings;
        StackedInstanceNorm { eps, momentum, parameters, buffers }
    }
}

impl ModuleT for StackedInstanceNorm {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let [weight, bias] = [0, 1].map(|number| of_all_channels(&self.parameters, number));
        let [mean, var] = [0, 1].map(|number| self.buffers.get(number).map(|average| average.view([-1])));
        let uses_batch = train || mean.is_none();
        let merged = merge_replicas(xs);
        let ys = merged.instance_norm(weight, bias, mean, var, uses_batch, self.momentum, self.eps, true);
        split_replicas(&ys, xs.size()[0])
    }
}
