//! The layers that an experiment can name, with PyTorch's names; Keras's are accepted where they differ.
//!
//! A layer is written in the file, checked for its shape, asked which parameters it needs, and built over views of
//! the parameter arena. Adding one is a file beside this one and the lines here that the compiler then asks for.

pub mod activation;
pub mod dropout;
pub mod flatten;
pub mod linear;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::check::Invalid;
use crate::network::init::{Init, Parameter};
use crate::shape::{Shape, ShapeFault};
use crate::short_form::number_or_table;

/// One layer of a network, as written in an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// `y = x Wᵀ + b`.
    #[serde(alias = "dense", deserialize_with = "number_or_table")]
    Linear(linear::Linear),
    /// All dimensions of a row into one.
    Flatten,
    /// Zeroes each value with probability `p` while training, and scales the others by `1 / (1 − p)`.
    #[serde(deserialize_with = "number_or_table")]
    Dropout(dropout::Dropout),
    /// `max(0, x)`.
    Relu,
    /// `x` where positive, `negative_slope · x` elsewhere.
    #[serde(deserialize_with = "number_or_table")]
    LeakyRelu(activation::LeakyRelu),
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `eˣ / Σ eˣ` over the last dimension.
    Softmax,
}

/// A layer that has been built, as `nn.Sequential` holds them.
pub type Module = Box<dyn ModuleT>;

impl Layer {
    /// The name that the file uses.
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Linear(_) => "linear",
            Layer::Flatten => "flatten",
            Layer::Dropout(_) => "dropout",
            Layer::Relu => "relu",
            Layer::LeakyRelu(_) => "leaky_relu",
            Layer::Sigmoid => "sigmoid",
            Layer::Tanh => "tanh",
            Layer::Softmax => "softmax",
        }
    }

    /// Checks the layer's own settings.
    ///
    /// # Errors
    /// When a setting is out of its range; the key is relative to the layer.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Layer::Linear(linear) => linear.check(),
            Layer::Dropout(dropout) => dropout.check(),
            Layer::LeakyRelu(leaky_relu) => leaky_relu.check(),
            Layer::Flatten | Layer::Relu | Layer::Sigmoid | Layer::Tanh | Layer::Softmax => Ok(()),
        }
        .map_err(|fault| fault.under(self.kind()))
    }

    /// The shape of one row behind the layer, for a row of shape `input` before it (no replicas, no batch).
    ///
    /// # Errors
    /// When the layer cannot take rows of that shape.
    pub fn output(&self, input: &Shape) -> Result<Shape, ShapeFault> {
        match self {
            Layer::Linear(linear) => linear.output(input),
            Layer::Flatten => Ok(flatten::output(input)),
            Layer::Softmax => activation::softmax_output(input),
            Layer::Dropout(_) | Layer::Relu | Layer::LeakyRelu(_) | Layer::Sigmoid | Layer::Tanh => Ok(input.clone()),
        }
    }

    /// The parameters that the layer needs, in the order in which PyTorch draws them.
    pub fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        match self {
            Layer::Linear(linear) => linear.parameters(input, init),
            _ => Vec::new(),
        }
    }

    /// Builds the layer over its parameters, each `[replicas, …]`, in the order of [`Layer::parameters`].
    pub fn build(&self, parameters: Vec<Tensor>) -> Module {
        match self {
            Layer::Linear(_) => Box::new(linear::StackedLinear::new(parameters)),
            Layer::Flatten => Box::new(flatten::FlattenRows),
            Layer::Dropout(dropout) => Box::new(dropout.clone()),
            Layer::LeakyRelu(leaky_relu) => Box::new(leaky_relu.clone()),
            Layer::Relu => Box::new(activation::Relu),
            Layer::Sigmoid => Box::new(activation::Sigmoid),
            Layer::Tanh => Box::new(activation::Tanh),
            Layer::Softmax => Box::new(activation::Softmax),
        }
    }
}
