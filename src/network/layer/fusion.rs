//! What the fused CPU backend computes for a layer, as the layer states it.

/// What the fused CPU backend computes for a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// Nothing: each row's values are already contiguous in memory.
    Flatten,
    /// A matrix product, plus a bias if the layer has one.
    Linear,
    /// An elementwise activation; it must follow a linear layer.
    Activation(FusedActivation),
    /// Dropout of values with this probability; it must follow a linear layer or its activation, and precede another linear
    /// layer.
    Dropout(f64),
}

/// Elementwise activation whose derivative can be computed from its output, so that its input need not be stored.
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
}
