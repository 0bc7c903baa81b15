//! Convolution of a stack, of signals and images, also transposed.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::window::Window;

/// Convolution layer of a stack: `[replicas, batch, in, …lengths]` → `[replicas, batch, out, …lengths']`, with one length
/// for a signal, and height and width for an image.
#[derive(Debug)]
pub struct StackedConvolution {
    weight: Tensor, // [replicas, out, in, …kernel]; of a transposed convolution [replicas, in, out, …kernel]
    bias: Option<Tensor>, // [replicas, out]
    stride: Vec<i64>,
    padding: Vec<i64>,
    output_padding: Option<Vec<i64>>, // of a transposed convolution
}

impl StackedConvolution {
    /// Builds the layer from the weight `[replicas, out, in, …]` and the optional bias `[replicas, out]`.
    pub fn new<const D: usize>(window: &Window<D>, mut parameters: Vec<Tensor>) -> Self {
        let bias = (parameters.len() > 1).then(|| parameters.remove(1));
        let weight = parameters.remove(0);
        let (stride, padding) = (window.stride.to_vec(), window.padding.to_vec());
        StackedConvolution { weight, bias, stride, padding, output_padding: None }
    }

    /// Builds a transposed convolution from the weight `[replicas, in, out, …]` and the optional bias `[replicas, out]`.
    pub fn transposed<const D: usize>(
        window: &Window<D>,
        output_padding: [i64; D],
        parameters: Vec<Tensor>,
    ) -> StackedConvolution {
        StackedConvolution { output_padding: Some(output_padding.to_vec()), ..Self::new(window, parameters) }
    }
}

impl Module for StackedConvolution {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let replicas = self.weight.size()[0];
        let weight = self.weight.flatten(0, 1); // [replicas · out, in, …]
        let bias = self.bias.as_ref().map(|bias| bias.flatten(0, 1));
        let (xs, stride, padding) = (merge_replicas(xs), &self.stride, &self.padding);
        let dilation = vec![1; stride.len()];
        // autocast on the CPU knows these, but not the general `convolution`
        let ys = match (&self.output_padding, stride.len()) {
            (Some(output_padding), _) => {
                xs.conv_transpose2d(&weight, bias, stride, padding, output_padding, replicas, dilation)
            }
            (None, 1) => xs.conv1d(&weight, bias, stride, padding, dilation, replicas),
            (None, _) => xs.conv2d(&weight, bias, stride, padding, dilation, replicas),
        };
        split_replicas(&ys, replicas)
    }
}
