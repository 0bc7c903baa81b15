//! Settings that max and average pooling of signals share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, require};
use crate::config::shorthand::{FromNumber, size};
use crate::network::layer::window::Window;
use crate::tensor::shape::{Shape, ShapeError};

/// Settings of max and average pooling of signals; written `{ max_pool1d = 2 }` or with all settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool1d {
    /// Length of the window (PyTorch: `kernel_size`; Keras: `pool_size`).
    #[serde(alias = "kernel_size", alias = "pool_size")]
    pub kernel: u32,
    /// Step of the window; the default is its length.
    #[serde(default, alias = "strides")]
    pub stride: Option<u32>,
    /// Padding on each side of the signal, at most half the length of the window. It counts as 0 in an average and is
    /// ignored in a maximum.
    #[serde(default)]
    pub padding: u32,
}

impl FromNumber for Pool1d {
    fn from_number(number: f64) -> Result<Self, String> {
        let kernel = size(number, "the kernel")?;
        let kernel =
            u32::try_from(kernel).map_err(|_| format!("the kernel must be at most {}, found {kernel}", u32::MAX))?;
        Ok(Pool1d { kernel, stride: None, padding: 0 })
    }
}

impl Pool1d {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        require(self.kernel >= 1, "kernel", "must be at least 1", self.kernel)?;
        require(self.stride != Some(0), "stride", "must be at least 1", 0)?;
        let wanted = format!("must be at most half of the kernel, which is {}", self.kernel);
        require(self.padding <= self.kernel / 2, "padding", &wanted, self.padding)
    }

    pub(super) fn window(&self) -> Window<1> {
        let [kernel, stride, padding] =
            [self.kernel, self.stride.unwrap_or(self.kernel), self.padding].map(|length| [i64::from(length)]);
        Window { kernel, stride, padding }
    }

    pub(super) fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let (channels, [length]) = self.window().over(input)?;
        Ok(Shape::from([channels, length]))
    }
}
