//! Activation layers. They act elementwise, except softmax and its logarithm, which act on the values of a row.

pub mod functions;
mod prelu;
mod with_settings;

pub use prelu::Prelu;
pub use with_settings::{Approximation, Elu, Gelu, LeakyRelu, Softplus};
