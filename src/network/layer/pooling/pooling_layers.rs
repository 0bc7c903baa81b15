//! Max and average pooling of signals and images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::Invalid;
use crate::config::shorthand::FromNumber;
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::pooling::pool::{Pool1d, Pool2d};
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::window::Window;
use crate::tensor::shape::{Shape, ShapeError};

/// Defines a pooling layer with its settings and the operation for rows and a window;
/// `fusion` is what the fused CPU backend computes.
macro_rules! pooling_layer {
    ($(#[$doc:meta])* $layer:ident, $settings:ident, $pool:expr $(, fusion = $fusion:expr)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $layer($settings);

        impl FromNumber for $layer {
            fn from_number(number: f64) -> Result<Self, String> {
                $settings::from_number(number).map($layer)
            }
        }

        impl LayerSpec for $layer {
            fn check(&self) -> Result<(), Invalid> {
                self.0.check()
            }

            fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
                self.0.window().output(input, None)
            }
            $(
            fn fusion(&self) -> Option<Fusion> {
                Some($fusion(self.0.window()))
            }
            )?
        }

        impl Module for $layer {
            fn forward(&self, xs: &Tensor) -> Tensor {
                let pool: fn(&Tensor, Window<_>) -> Tensor = $pool;
                split_replicas(&pool(&merge_replicas(xs), self.0.window()), xs.size()[0])
            }
        }
    };
}

pooling_layer!(
    /// Maximum of each window of a signal; written `{ max_pool1d = 2 }` or with all settings.
    ///
    /// # Shapes
    /// `[replicas, batch, channels, length]` → the same with a smaller length.
    MaxPool1d,
    Pool1d,
    |xs, Window { kernel, stride, padding }| xs.max_pool1d(kernel, stride, padding, 1, false)
);

pooling_layer!(
    /// Average of each window of a signal; written `{ avg_pool1d = 2 }` or with all settings.
    ///
    /// # Shapes
    /// `[replicas, batch, channels, length]` → the same with a smaller length.
    AvgPool1d,
    Pool1d,
    |xs, Window { kernel, stride, padding }| xs.avg_pool1d(kernel, stride, padding, false, true)
);

pooling_layer!(
    /// Maximum of each window of an image; written `{ max_pool2d = 2 }` or with all settings.
    ///
    /// # Shapes
    /// `[replicas, batch, channels, height, width]` → the same with a smaller height and width.
    MaxPool2d,
    Pool2d,
    |xs, Window { kernel, stride, padding }| xs.max_pool2d(kernel, stride, padding, 1, false),
    fusion = Fusion::MaxPool
);

pooling_layer!(
    /// Average of each window of an image; written `{ avg_pool2d = 2 }` or with all settings.
    ///
    /// # Shapes
    /// `[replicas, batch, channels, height, width]` → the same with a smaller height and width.
    AvgPool2d,
    Pool2d,
    |xs, Window { kernel, stride, padding }| xs.avg_pool2d(kernel, stride, padding, false, true, None)
);
