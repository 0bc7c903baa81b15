//! Layers available in experiment files, with PyTorch's names; Keras's names are accepted as aliases.
//!
//! A layer is parsed from the file, checks its input shape, lists the parameters it needs, and is built from views of
//! the parameter arena. What it states about itself is in its file ([`LayerSpec`]). To add a layer, add a file to this
//! folder, and here a variant and the match arms that the compiler then asks for; see
//! `docs/internals/adding-a-layer.md`.

pub mod activation;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod conv2d;
pub mod dropout;
pub mod flatten;
pub mod fusion;
pub mod layer_norm;
pub mod layer_spec;
pub mod linear;
pub mod max_pool2d;
pub mod pool2d;
mod replica_channels;
pub mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::number_or_table;
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::tensor::shape::{Shape, ShapeError};
pub use fusion::{FusedActivation, Fusion};
pub use layer_spec::{LayerSpec, OutputKind, Stacking};

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
    MaxPool2d(max_pool2d::MaxPool2d),
    /// Average of each window of an image.
    #[serde(alias = "average_pooling2d", deserialize_with = "number_or_table")]
    AvgPool2d(avg_pool2d::AvgPool2d),
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
    /// Returns the layer's settings, which state what the layer needs and does.
    pub fn spec(&self) -> &dyn LayerSpec {
        match self {
            Layer::Linear(linear) => linear,
            Layer::Conv2d(conv2d) => conv2d,
            Layer::MaxPool2d(pool) => pool,
            Layer::AvgPool2d(pool) => pool,
            Layer::Flatten => &flatten::Flatten,
            Layer::BatchNorm(norm) => norm,
            Layer::LayerNorm(norm) => norm,
            Layer::Dropout(dropout) => dropout,
            Layer::Relu => &activation::Relu,
            Layer::LeakyRelu(leaky_relu) => leaky_relu,
            Layer::Elu(elu) => elu,
            Layer::Gelu(gelu) => gelu,
            Layer::Softplus(softplus) => softplus,
            Layer::Sigmoid => &activation::Sigmoid,
            Layer::Tanh => &activation::Tanh,
            Layer::Softmax => &activation::Softmax,
        }
    }

    /// Builds the layer from its parameters and buffers, each `[replicas, …]`, in the order of [`Layer::parameters`]
    /// and [`Layer::buffers`].
    pub fn build(&self, parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Module {
        match self {
            Layer::Linear(_) => Box::new(linear::StackedLinear::new(parameters)),
            Layer::Conv2d(conv2d) => Box::new(conv2d::StackedConv2d::new(conv2d, parameters)),
            Layer::MaxPool2d(pool) => Box::new(pool.clone()),
            Layer::AvgPool2d(pool) => Box::new(pool.clone()),
            Layer::Flatten => Box::new(flatten::Flatten),
            Layer::BatchNorm(norm) => Box::new(batch_norm::StackedBatchNorm::new(norm, parameters, buffers)),
            Layer::LayerNorm(norm) => Box::new(layer_norm::StackedLayerNorm::new(norm, parameters)),
            Layer::Dropout(dropout) => Box::new(dropout::StackedDropout::new([dropout])),
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

    /// Like [`Layer::build`], with the settings of each replica. They may differ only in what [`Layer::shared`] omits.
    pub fn build_each(replicas: &[&Layer], parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Module {
        let dropouts = replicas.iter().map(|layer| match layer {
            Layer::Dropout(dropout) => Some(dropout),
            _ => None,
        });
        match dropouts.collect::<Option<Vec<_>>>() {
            Some(dropouts) => Box::new(dropout::StackedDropout::new(dropouts)),
            None => replicas[0].build(parameters, buffers),
        }
    }

    /// Returns the layer with fixed values for the settings that replicas of a stack have separately: initialization
    /// and the probability of dropout.
    pub fn shared(&self) -> Layer {
        let mut layer = self.clone();
        match &mut layer {
            Layer::Linear(linear) => linear.init = None,
            Layer::Conv2d(conv2d) => conv2d.init = None,
            Layer::Dropout(dropout) => dropout.p = 0.0,
            Layer::MaxPool2d(_)
            | Layer::AvgPool2d(_)
            | Layer::Flatten
            | Layer::BatchNorm(_)
            | Layer::LayerNorm(_)
            | Layer::Relu
            | Layer::LeakyRelu(_)
            | Layer::Elu(_)
            | Layer::Gelu(_)
            | Layer::Softplus(_)
            | Layer::Sigmoid
            | Layer::Tanh
            | Layer::Softmax => {}
        }
        layer
    }

    /// Returns the layer's name in experiment files.
    pub fn kind(&self) -> &'static str {
        self.spec().kind()
    }

    /// Checks the layer's settings.
    ///
    /// # Errors
    /// When a setting is out of range. Keys are relative to the layer.
    pub fn check(&self) -> Result<(), Invalid> {
        self.spec().check().map_err(|fault| fault.under(self.kind()))
    }

    /// Returns the shape of an output row; see [`LayerSpec::output`].
    ///
    /// # Errors
    /// When the layer does not accept rows of shape `input`.
    pub fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        self.spec().output(input)
    }

    /// Returns the parameters that the layer needs; see [`LayerSpec::parameters`].
    pub fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        self.spec().parameters(input, init)
    }

    /// Returns the buffers that the layer needs; see [`LayerSpec::buffers`].
    pub fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        self.spec().buffers(input)
    }
}

#[cfg(test)]
mod tests {
    use tch::nn::ModuleT;
    use tch::{Device, Kind};

    use super::*;
    use crate::network::stack::Architecture;
    use crate::tensor::generators::{install_until_drop, with_replica};

    /// A row's shape for each layer, `[channels, height, width]` or `[features]`.
    const LAYERS: [(&str, &[i64]); 16] = [
        (r#"{ "linear": 3 }"#, &[4]),
        (r#"{ "conv2d": { "channels": 2, "kernel": 2 } }"#, &[1, 4, 4]),
        (r#"{ "max_pool2d": 2 }"#, &[1, 4, 4]),
        (r#"{ "avg_pool2d": 2 }"#, &[1, 4, 4]),
        (r#""flatten""#, &[1, 4, 4]),
        (r#"{ "batch_norm": {} }"#, &[4]),
        (r#"{ "layer_norm": {} }"#, &[4]),
        (r#"{ "dropout": 0.5 }"#, &[40]),
        (r#""relu""#, &[4]),
        (r#"{ "leaky_relu": 0.2 }"#, &[4]),
        (r#"{ "elu": 1 }"#, &[4]),
        (r#"{ "gelu": {} }"#, &[4]),
        (r#"{ "softplus": {} }"#, &[4]),
        (r#""sigmoid""#, &[4]),
        (r#""tanh""#, &[4]),
        (r#""softmax""#, &[4]),
    ];

    #[test]
    fn what_each_layer_states_about_itself_is_what_it_does() {
        let _generators = install_until_drop(2, Device::Cpu);
        for (text, shape) in LAYERS {
            let layer: Layer = serde_json::from_str(text).unwrap();
            let spec = layer.spec();
            assert!(text.contains(spec.kind()), "{text} is called {}", spec.kind());
            let size = [&[2, 5], shape].concat();
            let rows = Tensor::arange(size.iter().product::<i64>(), (Kind::Float, Device::Cpu)).sin().view(&size[..]);
            let last_row_changed = rows.copy();
            let _ = last_row_changed.narrow(1, 4, 1).fill_(0.25);
            let stack = Architecture::follow(std::slice::from_ref(&layer), Init::Pytorch, &Shape::from(shape)).unwrap();
            let stack = stack.build(&[1, 2], Device::Cpu);
            let first_rows = |rows: &Tensor| {
                (0..2).for_each(|replica| with_replica(replica, || tch::manual_seed(replica as i64)));
                stack.forward_t(rows, true).narrow(1, 0, 4)
            };
            let first = first_rows(&rows);
            let is_same = (first_rows(&last_row_changed) - &first).abs().max().double_value(&[]) < 1e-6;
            assert_eq!(is_same, !spec.mixes_rows(), "{text}");
            if let Some([low, high]) = spec.saturation_limits() {
                let far = stack.forward_t(&(rows.sign() * 1e4), true);
                assert_eq!([far.min(), far.max()].map(|limit| limit.double_value(&[])), [low, high], "{text}");
            }
            let sums = stack.forward_t(&(&rows * 10.0), true).sum_dim_intlist(-1, false, Kind::Float);
            let sum_to_one = (sums - 1.0).abs().max().double_value(&[]) < 1e-5;
            assert_eq!(sum_to_one, spec.output_kind() == OutputKind::Distribution, "{text}");
        }
    }
}
