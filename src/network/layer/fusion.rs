//! What the fused CPU backend computes for a layer, as the layer states it.

use crate::network::layer::window::Window;

/// What the fused CPU backend computes for a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// Nothing: each row's values are already contiguous in memory.
    Flatten,
    /// A convolution of images with this window, plus a bias if the layer has one; it must precede all linear layers.
    Convolution(Window<2>),
    /// The maximum of each window; it must follow a convolution or its activation.
    MaxPool(Window<2>),
    /// A matrix product, plus a bias if the layer has one.
    Linear,
    /// Normalization; it must follow a linear layer.
    Normalization(FusedNormalization),
    /// An elementwise activation; it must follow a linear layer or its normalization. ReLU and leaky ReLU can also follow a
    /// convolution.
    Activation(FusedActivation),
    /// Dropout of values with this probability; it must follow a linear layer, its normalization or its activation,
    /// and precede another linear layer.
    Dropout(f64),
}

/// Normalization of the units of a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FusedNormalization {
    /// Batch normalization, with running averages.
    Batch {
        /// Added to the variance.
        eps: f64,
        /// Weight of the new batch in the running averages.
        momentum: f64,
    },
    /// Layer normalization.
    Layer {
        /// Added to the variance.
        eps: f64,
    },
}

/// Elementwise activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FusedActivation {
    /// `y = x`.
    Identity,
    /// `x` where positive, `slope · x` elsewhere; ReLU has the slope 0.
    LeakyRelu {
        /// The derivative for negative values.
        slope: f32,
    },
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x` where positive, `eˣ − 1` elsewhere.
    Elu,
    /// `x · sigmoid(x)`.
    Silu,
    /// `x Φ(x)`, with Φ as PyTorch's `approximate` says.
    Gelu {
        /// `none` or `tanh`.
        approximate: &'static str,
    },
}
