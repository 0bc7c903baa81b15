//! 2-D convolution, with separate kernels for each replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{self, Invalid};
use crate::config::defaults;
use crate::config::shorthand::named_or_none;
use crate::network::init::{Init, Parameter};
use crate::network::layer::convolution::padding::Padding;
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::window::{Pair, Window, check_channels};
use crate::tensor::shape::{Shape, ShapeError};

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

impl Conv2d {
    /// Returns the kernel, stride and padding.
    pub fn window(&self) -> Window<2> {
        let kernel = self.kernel.sides();
        Window { kernel, stride: self.stride.sides(), padding: self.padding.zeros(kernel, Pair::sides) }
    }
}

impl LayerSpec for Conv2d {
    fn kind(&self) -> &'static str {
        "conv2d"
    }

    fn check(&self) -> Result<(), Invalid> {
        check::size("channels", self.channels)?;
        self.kernel.at_least_one("kernel")?;
        self.stride.at_least_one("stride")?;
        self.padding.check(&self.window())?;
        self.init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under("init")))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let (_, [height, width]) = self.window().over(input)?;
        check_channels(input, self.in_channels)?;
        Ok(Shape::from([self.channels as i64, height, width]))
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let [height, width] = self.kernel.sides();
        let shape = vec![self.channels as i64, input.dimensions()[0], height, width];
        self.init.unwrap_or(init).weight_and_bias(shape, self.bias)
    }

    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        let (channels, [height, width]) = self.window().over(input).ok()?;
        let kernel: i64 = self.kernel.sides().iter().product();
        Some((height * width * self.channels as i64 * channels * kernel) as u64)
    }

    fn reuses_weights(&self) -> bool {
        true
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Convolution(self.window()))
    }

    // On a CPU, a grouped convolution is no faster than one convolution after the other.
    fn stacking(&self) -> Stacking {
        Stacking::GpuOnly
    }
}
