//! Settings that max and average pooling of images share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, require};
use crate::config::shorthand::{FromNumber, size};
use crate::network::layer::window::{Pair, Window};
use crate::tensor::shape::{Shape, ShapeError};

/// Settings of max and average pooling; written `{ max_pool2d = 2 }` or with all settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool2d {
    /// Height and width of the window (PyTorch: `kernel_size`; Keras: `pool_size`).
    #[serde(alias = "kernel_size", alias = "pool_size")]
    pub kernel: Pair,
    /// Step of the window along height and width; the default is the size of the window.
    #[serde(default, alias = "strides")]
    pub stride: Option<Pair>,
    /// Padding on each side of the image, at most half the size of the window. It counts as 0 in an average and is
    /// ignored in a maximum.
    #[serde(default)]
    pub padding: Pair,
}

impl FromNumber for Pool2d {
    fn from_number(number: f64) -> Result<Self, String> {
        let side = size(number, "the kernel")?;
        let side = u32::try_from(side).map_err(|_| format!("the kernel must be at most {}, found {side}", u32::MAX))?;
        Ok(Pool2d { kernel: Pair::Both(side), stride: None, padding: Pair::default() })
    }
}

impl Pool2d {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        self.kernel.at_least_one("kernel")?;
        self.stride.map_or(Ok(()), |stride| stride.at_least_one("stride"))?;
        let Window { kernel, padding, .. } = self.window();
        let fits = (0..2).all(|side| 2 * padding[side] <= kernel[side]);
        require(fits, "padding", &format!("must be at most half of the kernel, which is {}", self.kernel), self.padding)
    }

    pub(super) fn window(&self) -> Window<2> {
        let stride = self.stride.unwrap_or(self.kernel);
        Window { kernel: self.kernel.sides(), stride: stride.sides(), padding: self.padding.sides() }
    }

    pub(super) fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let (channels, [height, width]) = self.window().over(input)?;
        Ok(Shape::from([channels, height, width]))
    }
}
