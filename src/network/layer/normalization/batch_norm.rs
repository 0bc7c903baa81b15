//! Batch normalization (Ioffe and Szegedy 2015), as in PyTorch's `BatchNorm1d` and `BatchNorm2d`.
//!
//! In training, each channel is normalized with the mean and the biased variance of its values in the batch. Running
//! averages of the mean and of the unbiased variance are stored as buffers and used in evaluation. A flat row has one
//! channel per feature, an image one per index of its first dimension. The channels of all replicas are concatenated,
//! so one libtorch call normalizes them all without mixing them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, positive, require};
use crate::config::defaults;
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::network::layer::fusion::{FusedNormalization, Fusion};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::normalization::affine::{affine, eps, momentum, of_all_channels};
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::Shape;

/// `(x − mean) / √(variance + eps) · weight + bias` for each channel; written `"batch_norm"` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Added to the variance to avoid division by 0.
    #[serde(default = "eps", alias = "epsilon")]
    pub eps: f64,
    /// Weight of the new batch in the running averages, as in PyTorch (Keras's `momentum` is 1 minus this).
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Whether to learn a weight and a bias for each channel.
    #[serde(default = "defaults::yes")]
    pub affine: bool,
}

impl LayerSpec for BatchNorm {
    fn check(&self) -> Result<(), Invalid> {
        positive("eps", self.eps)?;
        require((0.0..=1.0).contains(&self.momentum), "momentum", "must be between 0 and 1", self.momentum)
    }

    fn parameters(&self, input: &Shape, _init: Init) -> Vec<Parameter> {
        affine(vec![input.dimensions()[0]], self.affine)
    }

    fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        Buffer::running_averages(input.dimensions()[0])
    }

    fn mixes_rows(&self) -> bool {
        true
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Normalization(FusedNormalization::Batch { eps: self.eps, momentum: self.momentum }))
    }
}

/// `[replicas, batch, channels, …]` → the same shape. The weight, the bias and the running averages are `[replicas, channels]`,
/// the count of batches `[replicas]`.
impl ModuleT for Stacked<BatchNorm> {
    /// A batch with a single value per channel has no variance; PyTorch raises an error. Here the output in training is
    /// the bias, and the running averages are not updated.
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let ys = merge_replicas(xs); // [batch, replicas · channels, …]
        let [weight, bias] = [0, 1].map(|number| of_all_channels(&self.parameters, number));
        let [running_mean, running_var, batches] = &self.buffers[..] else { unreachable!("it has three buffers") };
        let (mut mean, mut var) = (Some(running_mean.view([-1])), Some(running_var.view([-1])));
        if train {
            let lone_values = ys.size()[0] * ys.size()[2..].iter().product::<i64>() == 1;
            if lone_values {
                (mean, var) = (None, None);
            } else {
                let _ = batches.shallow_clone().g_add_scalar_(1);
            }
        }
        let BatchNorm { eps, momentum, .. } = self.settings;
        let ys = ys.batch_norm(weight, bias, mean, var, train, momentum, eps, true);
        split_replicas(&ys, xs.size()[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn layer(replicas: i64, channels: i64) -> Stacked<BatchNorm> {
        let settings = BatchNorm { eps: 1e-5, momentum: 0.1, affine: false };
        let buffers = settings.buffers(&Shape::from([channels]));
        let of_each = |buffer: &Buffer| Tensor::stack(&vec![&buffer.initial(); replicas as usize], 0);
        let buffers = buffers.iter().map(of_each).collect();
        Stacked { settings, parameters: Vec::new(), buffers }
    }

    #[test]
    fn a_batch_of_one_row_leaves_the_running_averages_as_they_are() {
        let layer = layer(2, 3);
        let out = layer.forward_t(&Tensor::ones([2, 1, 3], (Kind::Float, Device::Cpu)), true);
        assert_eq!(f64::try_from(out.abs().max()).unwrap(), 0.0);
        assert_eq!(f64::try_from(layer.buffers[0].abs().max()).unwrap(), 0.0);
        assert_eq!(f64::try_from((&layer.buffers[1] - 1.0).abs().max()).unwrap(), 0.0);
        assert_eq!(Vec::<i64>::try_from(&layer.buffers[2]).unwrap(), [0, 0]);
    }

    #[test]
    fn evaluation_changes_no_running_average_and_does_not_look_at_the_batch() {
        let layer = layer(1, 2);
        let xs = Tensor::from_slice(&[3.0_f32, -1.0]).view([1, 1, 2]);
        let out = Vec::<f32>::try_from(layer.forward_t(&xs, false).flatten(0, -1)).unwrap();
        assert!((out[0] - 3.0).abs() < 1e-4 && (out[1] + 1.0).abs() < 1e-4, "{out:?}");
        assert_eq!(Vec::<i64>::try_from(&layer.buffers[2]).unwrap(), [0]);
    }
}
