//! 1-D convolution, with separate kernels for each replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{self, Invalid, require};
use crate::config::defaults;
use crate::config::shorthand::named_or_none;
use crate::network::init::{Init, Parameter};
use crate::network::layer::convolution::padding::Padding;
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::window::{Window, check_channels};
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

impl Conv1d {
    /// Returns the kernel, stride and padding.
    pub fn window(&self) -> Window<1> {
        let [kernel, stride] = [self.kernel, self.stride].map(|length| [i64::from(length)]);
        Window { kernel, stride, padding: self.padding.zeros(kernel, |length| [i64::from(length)]) }
    }
}

impl LayerSpec for Conv1d {
    fn kind(&self) -> &'static str {
        "conv1d"
    }

    fn check(&self) -> Result<(), Invalid> {
        check::size("channels", self.channels)?;
        require(self.kernel >= 1, "kernel", "must be at least 1", self.kernel)?;
        require(self.stride >= 1, "stride", "must be at least 1", self.stride)?;
        self.padding.check(&self.window())?;
        self.init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under("init")))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let (_, [length]) = self.window().over(input)?;
        check_channels(input, self.in_channels)?;
        Ok(Shape::from([self.channels as i64, length]))
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let shape = vec![self.channels as i64, input.dimensions()[0], i64::from(self.kernel)];
        self.init.unwrap_or(init).weight_and_bias(shape, self.bias)
    }

    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        let (channels, [length]) = self.window().over(input).ok()?;
        Some((length * self.channels as i64 * channels * i64::from(self.kernel)) as u64)
    }

    fn reuses_weights(&self) -> bool {
        true
    }

    // On a CPU, a grouped convolution is no faster than one convolution after the other.
    fn stacking(&self) -> Stacking {
        Stacking::GpuOnly
    }
}
