//! 2-D transposed convolution, with separate kernels for each replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{self, Invalid, require};
use crate::config::defaults;
use crate::config::shorthand::named_or_none;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::window::{Pair, Sides, Window, channels_and_lengths, check_channels};
use crate::tensor::shape::{Shape, ShapeError};

/// Transposed convolution as in PyTorch's `ConvTranspose2d`, which enlarges an image; written `{ conv_transpose2d = {
/// channels = 16, kernel = 2, stride = 2 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose2d {
    /// Number of output channels (PyTorch: `out_channels`; Keras: `filters`).
    #[serde(alias = "out_channels", alias = "filters")]
    pub channels: usize,
    /// Height and width of the kernels (PyTorch: `kernel_size`).
    #[serde(alias = "kernel_size")]
    pub kernel: Pair,
    /// Step of the kernel in the output, along height and width.
    #[serde(default = "defaults::one::<Pair>", alias = "strides")]
    pub stride: Pair,
    /// Number of rows and columns removed on each side of the output.
    #[serde(default)]
    pub padding: Pair,
    /// Number of rows and columns added at the bottom and on the right of the output; less than the stride.
    #[serde(default)]
    pub output_padding: Pair,
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

impl ConvTranspose2d {
    /// Returns the kernel, stride and padding.
    pub fn window(&self) -> Window<2> {
        Window { kernel: self.kernel.sides(), stride: self.stride.sides(), padding: self.padding.sides() }
    }

    /// Returns the shape of the weight: `[in, out, height, width]`.
    fn weight(&self, input: &Shape) -> Vec<i64> {
        let [height, width] = self.kernel.sides();
        vec![input.dimensions()[0], self.channels as i64, height, width]
    }
}

impl LayerSpec for ConvTranspose2d {
    fn check(&self) -> Result<(), Invalid> {
        check::size("channels", self.channels)?;
        self.kernel.at_least_one("kernel")?;
        self.stride.at_least_one("stride")?;
        let (added, stride) = (self.output_padding.sides(), self.stride.sides());
        let is_smaller = added[0] < stride[0] && added[1] < stride[1];
        let wanted = format!("must be smaller than the stride, which is {}", self.stride);
        require(is_smaller, "output_padding", &wanted, self.output_padding)?;
        self.init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under("init")))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let (_, lengths) = channels_and_lengths::<2>(input)?;
        check_channels(input, self.in_channels)?;
        let Window { kernel, stride, padding } = self.window();
        let added = self.output_padding.sides();
        let [height, width] = [0, 1].map(|side| {
            let spread = (lengths[side] - 1).saturating_mul(stride[side]) - 2 * padding[side];
            spread.saturating_add(kernel[side] + added[side])
        });
        if height < 1 || width < 1 {
            let message = format!("returns an empty image: `padding` {} removes all of it", self.padding);
            return Err(ShapeError::with_problem(input, message, "make `padding` smaller"));
        }
        Ok(Shape::from([self.channels as i64, height, width]))
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let mut parameters = self.init.unwrap_or(init).weight_and_bias(self.weight(input), self.bias);
        // the bias has one value for each output, the second dimension of the weight
        parameters.iter_mut().skip(1).for_each(|bias| bias.shape = vec![self.channels as i64]);
        parameters
    }

    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        let (_, [height, width]) = channels_and_lengths::<2>(input).ok()?;
        Some((height * width * self.weight(input).iter().product::<i64>()) as u64)
    }

    fn reuses_weights(&self) -> bool {
        true
    }

    // On a CPU, a grouped convolution is no faster than one convolution after the other.
    fn stacking(&self) -> Stacking {
        Stacking::GpuOnly
    }
}
