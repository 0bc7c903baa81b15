//! Settings that max and average pooling share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, require};
use crate::config::shorthand::{FromNumber, size};
use crate::network::layer::window::{Pair, Sides, Window};

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

/// Implements the settings of windows over this number of dimensions.
macro_rules! pool {
    ($pool:ident, $dimensions:literal) => {
        impl FromNumber for $pool {
            fn from_number(number: f64) -> Result<Self, String> {
                let kernel = size(number, "the kernel")?;
                let kernel = u32::try_from(kernel)
                    .map_err(|_| format!("the kernel must be at most {}, found {kernel}", u32::MAX))?;
                Ok($pool { kernel: kernel.into(), stride: None, padding: Default::default() })
            }
        }

        impl $pool {
            pub(super) fn check(&self) -> Result<(), Invalid> {
                self.kernel.at_least_one("kernel")?;
                self.stride.map_or(Ok(()), |stride| stride.at_least_one("stride"))?;
                let Window { kernel, padding, .. } = self.window();
                let fits = padding.iter().zip(kernel).all(|(padding, side)| 2 * padding <= side);
                let wanted = format!("must be at most half of the kernel, which is {}", self.kernel);
                require(fits, "padding", &wanted, self.padding)
            }

            pub(super) fn window(&self) -> Window<$dimensions> {
                let stride = self.stride.unwrap_or(self.kernel);
                Window { kernel: self.kernel.sides(), stride: stride.sides(), padding: self.padding.sides() }
            }
        }
    };
}

pool!(Pool1d, 1);
pool!(Pool2d, 2);
