//! Activation layers. They have no parameters and act elementwise, except softmax, which acts on the values of a row.

mod elu;
mod gelu;
mod leaky_relu;
mod relu;
mod sigmoid;
mod softmax;
mod softplus;
mod tanh;

pub use elu::Elu;
pub use gelu::{Approximation, Gelu};
pub use leaky_relu::LeakyRelu;
pub use relu::Relu;
pub use sigmoid::Sigmoid;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use tanh::Tanh;
