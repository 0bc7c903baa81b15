//! Layers available in experiment files, with PyTorch's names; Keras's names are accepted as aliases.
//!
//! A layer is parsed from the file, checks its input shape, lists the parameters it needs, and is built from views of
//! the parameter arena. To add one, add a file to this folder and the match arms that the compiler then asks for.

pub mod activation;
pub mod batch_norm;
pub mod conv2d;
pub mod dropout;
pub mod flatten;
pub mod layer_norm;
pub mod linear;
pub mod pool2d;
mod side_by_side;
pub mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::number_or_table;
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::tensor::shape::{Shape, ShapeFault};

/// One layer of a network, as written in an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Fully connected layer: `y = x Wᵀ + b`.
    #[serde(alias = "dense", deserialize_with = "number_or_table")]
    Linear(linear::Linear),
    /// 2-D convolution.
    Conv2d(conv2d::Conv2d),
    /// Maximum of each window of an image.
    #[serde(alias = "max_pooling2d", deserialize_with = "number_or_table")]
    MaxPool2d(pool2d::Pool2d),
    /// Average of each window of an image.
    #[serde(alias = "average_pooling2d", deserialize_with = "number_or_table")]
    AvgPool2d(pool2d::Pool2d),
    /// Flattens all dimensions of a row into one.
    Flatten,
    /// Batch normalization: normalizes each channel over the batch.
    #[serde(alias = "batch_norm1d", alias = "batch_norm2d", alias = "batch_normalization")]
    BatchNorm(batch_norm::BatchNorm),
    /// Layer normalization: normalizes each row over its values.
    #[serde(alias = "layer_normalization")]
    LayerNorm(layer_norm::LayerNorm),
    /// Zeroes each value with probability `p` in training, and scales the others by `1 / (1 − p)`.
    #[serde(deserialize_with = "number_or_table")]
    Dropout(dropout::Dropout),
    /// ReLU: `max(0, x)`.
    Relu,
    /// Leaky ReLU: `x` where positive, `negative_slope · x` elsewhere.
    #[serde(deserialize_with = "number_or_table")]
    LeakyRelu(activation::LeakyRelu),
    /// ELU: `x` where positive, `alpha · (eˣ − 1)` elsewhere.
    #[serde(deserialize_with = "number_or_table")]
    Elu(activation::Elu),
    /// GELU: `x Φ(x)`, where Φ is the normal distribution function.
    Gelu(activation::Gelu),
    /// Softplus: `ln(1 + e^(beta · x)) / beta`.
    Softplus(activation::Softplus),
    /// Sigmoid: `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// Softmax: `eˣ / Σ eˣ` over the last dimension.
    Softmax,
}

/// A built layer, such as `nn.Sequential` holds.
pub type Module = Box<dyn ModuleT>;

impl Layer {
    /// Returns the layer's name in experiment files.
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Linear(_) => "linear",
            Layer::Conv2d(_) => "conv2d",
            Layer::MaxPool2d(_) => "max_pool2d",
            Layer::AvgPool2d(_) => "avg_pool2d",
            Layer::Flatten => "flatten",
            Layer::BatchNorm(_) => "batch_norm",
            Layer::LayerNorm(_) => "layer_norm",
            Layer::Dropout(_) => "dropout",
            Layer::Relu => "relu",
            Layer::LeakyRelu(_) => "leaky_relu",
            Layer::Elu(_) => "elu",
            Layer::Gelu(_) => "gelu",
            Layer::Softplus(_) => "softplus",
            Layer::Sigmoid => "sigmoid",
            Layer::Tanh => "tanh",
            Layer::Softmax => "softmax",
        }
    }

    /// Checks the layer's settings.
    ///
    /// # Errors
    /// When a setting is out of range. Keys are relative to the layer.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Layer::Linear(linear) => linear.check(),
            Layer::Dropout(dropout) => dropout.check(),
            Layer::Conv2d(conv2d) => conv2d.check(),
            Layer::MaxPool2d(pool) | Layer::AvgPool2d(pool) => pool.check(),
            Layer::BatchNorm(norm) => norm.check(),
            Layer::LayerNorm(norm) => norm.check(),
            Layer::LeakyRelu(leaky_relu) => leaky_relu.check(),
            Layer::Elu(elu) => elu.check(),
            Layer::Softplus(softplus) => softplus.check(),
            Layer::Flatten | Layer::Relu | Layer::Gelu(_) | Layer::Sigmoid | Layer::Tanh | Layer::Softmax => Ok(()),
        }
        .map_err(|fault| fault.under(self.kind()))
    }

    /// Returns the shape of an output row for an input row of shape `input`, without replica and batch dimensions.
    ///
    /// # Errors
    /// When the layer does not accept rows of that shape.
    pub fn output(&self, input: &Shape) -> Result<Shape, ShapeFault> {
        match self {
            Layer::Linear(linear) => linear.output(input),
            Layer::Conv2d(conv2d) => conv2d.output(input),
            Layer::MaxPool2d(pool) | Layer::AvgPool2d(pool) => pool.output(input),
            Layer::Flatten => Ok(flatten::output(input)),
            Layer::Softmax => activation::softmax_output(input),
            Layer::BatchNorm(_)
            | Layer::LayerNorm(_)
            | Layer::Dropout(_)
            | Layer::Relu
            | Layer::LeakyRelu(_)
            | Layer::Elu(_)
            | Layer::Gelu(_)
            | Layer::Softplus(_)
            | Layer::Sigmoid
            | Layer::Tanh => Ok(input.clone()),
        }
    }

    /// Returns the layer with the network's initialization scheme instead of its own.
    pub fn without_init(&self) -> Layer {
        match self.clone() {
            Layer::Linear(linear) => Layer::Linear(linear::Linear { init: None, ..linear }),
            Layer::Conv2d(conv2d) => Layer::Conv2d(conv2d::Conv2d { init: None, ..conv2d }),
            other => other,
        }
    }

    /// Returns the parameters that the layer needs, in the order in which PyTorch draws them.
    pub fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        match self {
            Layer::Linear(linear) => linear.parameters(input, init),
            Layer::Conv2d(conv2d) => conv2d.parameters(input, init),
            Layer::BatchNorm(norm) => norm.parameters(input),
            Layer::LayerNorm(norm) => norm.parameters(input),
            _ => Vec::new(),
        }
    }

    /// Returns the buffers that the layer needs.
    pub fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        match self {
            Layer::BatchNorm(norm) => norm.buffers(input),
            _ => Vec::new(),
        }
    }

    /// Builds the layer from its parameters and buffers, each `[replicas, …]`, in the order of [`Layer::parameters`]
    /// and [`Layer::buffers`].
    pub fn build(&self, parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Module {
        match self {
            Layer::Linear(_) => Box::new(linear::StackedLinear::new(parameters)),
            Layer::Conv2d(conv2d) => Box::new(conv2d::StackedConv2d::new(conv2d, parameters)),
            Layer::MaxPool2d(pool) => Box::new(pool2d::MaxPool::new(pool)),
            Layer::AvgPool2d(pool) => Box::new(pool2d::AvgPool::new(pool)),
            Layer::Flatten => Box::new(flatten::FlattenRows),
            Layer::BatchNorm(norm) => Box::new(batch_norm::StackedBatchNorm::new(norm, parameters, buffers)),
            Layer::LayerNorm(norm) => Box::new(layer_norm::StackedLayerNorm::new(norm, parameters)),
            Layer::Dropout(dropout) => Box::new(dropout.clone()),
            Layer::Relu => Box::new(activation::Relu),
            Layer::LeakyRelu(leaky_relu) => Box::new(leaky_relu.clone()),
            Layer::Elu(elu) => Box::new(elu.clone()),
            Layer::Gelu(gelu) => Box::new(gelu.clone()),
            Layer::Softplus(softplus) => Box::new(softplus.clone()),
            Layer::Sigmoid => Box::new(activation::Sigmoid),
            Layer::Tanh => Box::new(activation::Tanh),
            Layer::Softmax => Box::new(activation::Softmax),
        }
    }
}
