//! Convolution of signals and images, with separate kernels for each replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{self, Invalid};
use crate::config::defaults;
use crate::config::shorthand::named_or_none;
use crate::network::init::{Init, Parameter};
use crate::network::layer::convolution::padding::Padding;
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::window::{Pair, Sides, Window, check_channels};
use crate::tensor::shape::{Shape, ShapeError};

/// Cross-correlation of a signal, channels×length, as in PyTorch's `Conv1d`; written `{ conv1d = { channels = 16, kernel =
/// 3, padding = 1 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv1d {
    /// Number of output channels (PyTorch: `out_channels`; Keras: `filters`).
    #[serde(alias = "out_channels", alias = "filters")]
    pub channels: usize,
    /// Length of the kernels (PyTorch: `kernel_size`).
    #[serde(alias = "kernel_size")]
    pub kernel: u32,
    /// Step of the kernel.
    #[serde(default = "defaults::one::<u32>", alias = "strides")]
    pub stride: u32,
    /// Number of zeros added on each side of the signal, or `"same"`, which keeps its length.
    #[serde(default)]
    pub padding: Padding<u32>,
    /// Whether to add a bias.
    #[serde(default = "defaults::yes")]
    pub bias: bool,
    /// Number of input channels. It is inferred; if it is set, it must match the previous layer.
    #[serde(default)]
    pub in_channels: Option<usize>,
    /// Initialization scheme of the kernels; the default is that of the network.
    #[serde(default, deserialize_with = "named_or_none")]
    pub init: Option<Init>,
}

/// Cross-correlation as in PyTorch's `Conv2d`; written `{ conv2d = { channels = 16, kernel = 3, padding = 1 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Number of output channels (PyTorch: `out_channels`; Keras: `filters`).
    #[serde(alias = "out_channels", alias = "filters")]
    pub channels: usize,
    /// Height and width of the kernels (PyTorch: `kernel_size`).
    #[serde(alias = "kernel_size")]
    pub kernel: Pair,
    /// Step of the kernel along height and width.
    #[serde(default = "defaults::one::<Pair>", alias = "strides")]
    pub stride: Pair,
    /// Number of zeros added on each side of the image, or `"same"`, which keeps its size.
    #[serde(default)]
    pub padding: Padding<Pair>,
    /// Whether to add a bias.
    #[serde(default = "defaults::yes")]
    pub bias: bool,
    /// Number of input channels. It is inferred; if it is set, it must match the previous layer.
    #[serde(default)]
    pub in_channels: Option<usize>,
    /// Initialization scheme of the kernels; the default is that of the network.
    #[serde(default, deserialize_with = "named_or_none")]
    pub init: Option<Init>,
}

/// Implements a convolution over this number of dimensions; `fusion` is what the fused CPU backend computes.
macro_rules! convolution_layer {
    ($layer:ident, $dimensions:literal $(, fusion = $fusion:expr)?) => {
        impl $layer {
            /// Returns the kernel, stride and padding.
            pub fn window(&self) -> Window<$dimensions> {
                let kernel = self.kernel.sides();
                Window { kernel, stride: self.stride.sides(), padding: self.padding.zeros(kernel, Sides::sides) }
            }
        }

        impl LayerSpec for $layer {
            fn check(&self) -> Result<(), Invalid> {
                check::size("channels", self.channels)?;
                self.kernel.at_least_one("kernel")?;
                self.stride.at_least_one("stride")?;
                self.padding.check(&self.window())?;
                self.init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under("init")))
            }

            fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
                let output = self.window().output(input, Some(self.channels))?;
                check_channels(input, self.in_channels).map(|()| output)
            }

            fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
                let shape = [&[self.channels as i64, input.dimensions()[0]], &self.kernel.sides()[..]].concat();
                self.init.unwrap_or(init).weight_and_bias(shape, self.bias)
            }

            fn multiply_adds(&self, input: &Shape) -> Option<u64> {
                let (channels, lengths) = self.window().over(input).ok()?;
                let [lengths, kernel] = [lengths, self.kernel.sides()].map(|sides| sides.iter().product::<i64>());
                Some((lengths * self.channels as i64 * channels * kernel) as u64)
            }

            fn reuses_weights(&self) -> bool {
                true
            }

            $(
            fn fusion(&self) -> Option<Fusion> {
                Some($fusion(self.window()))
            }
            )?

            // On a CPU, a grouped convolution is no faster than one convolution after the other.
            fn stacking(&self) -> Stacking {
                Stacking::GpuOnly
            }
        }
    };
}

convolution_layer!(Conv1d, 1);
convolution_layer!(Conv2d, 2, fusion = Fusion::Convolution);
