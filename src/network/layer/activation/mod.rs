//! Activation layers. They act elementwise, except softmax and its logarithm, which act on the values of a row.

mod elu;
mod gelu;
mod hardswish;
mod leaky_relu;
mod log_softmax;
mod mish;
mod prelu;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod tanh;

pub use elu::Elu;
pub use gelu::{Approximation, Gelu};
pub use hardswish::Hardswish;
pub use leaky_relu::LeakyRelu;
pub use log_softmax::LogSoftmax;
pub use mish::Mish;
pub use prelu::{Prelu, StackedPrelu};
pub use relu::Relu;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use tanh::Tanh;
