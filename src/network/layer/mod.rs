//! Layers available in experiment files, with PyTorch's names; Keras's names are accepted as aliases.
//!
//! A layer is parsed from the file, checks its input shape, lists the parameters it needs, and is built from views of
//! the parameter arena. What it states about itself is in its file ([`LayerSpec`]). To add a layer, add a file, and here
//! a variant and the match arms that the compiler then asks for; see `docs/internals/adding-a-layer.md`.

pub mod activation;
pub mod batch_norm;
pub mod conv2d;
pub mod dropout;
mod fixed_settings;
pub mod flatten;
pub mod fusion;
pub mod layer_norm;
pub mod layer_spec;
pub mod linear;
pub mod pooling;
mod replica_channels;
pub mod sequence;
pub mod structure;
mod token_count;
pub mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::{list_or_table, number_or_table};
use crate::network::arena::{Buffer, InitialTensors};
use crate::network::init::{Init, Parameter};
use crate::network::torchscript::TorchScript;
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
    MaxPool2d(pooling::MaxPool2d),
    /// Average of each window of an image.
    #[serde(alias = "average_pooling2d", deserialize_with = "number_or_table")]
    AvgPool2d(pooling::AvgPool2d),
    /// Flattens all dimensions of a row into one.
    #[serde(deserialize_with = "fixed_settings::of_flatten")]
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
    #[serde(deserialize_with = "fixed_settings::of_activation")]
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
    #[serde(deserialize_with = "fixed_settings::of_activation")]
    Tanh,
    /// Softmax: `eˣ / Σ eˣ` over the last dimension.
    #[serde(deserialize_with = "fixed_settings::of_softmax")]
    Softmax,
    /// Average over all positions of an image or a signal.
    #[serde(
        alias = "global_average_pooling2d",
        alias = "global_average_pooling1d",
        deserialize_with = "fixed_settings::of_activation"
    )]
    GlobalAvgPool,
    /// Gives rows another shape with as many values.
    Reshape(structure::Reshape),
    /// Residual block: the output of its layers plus their input.
    #[serde(deserialize_with = "list_or_table")]
    Residual(structure::Residual<Layer>),
    /// Layers that are repeated, each time with new parameters.
    Repeat(structure::Repeat<Layer>),
    /// Branches that get the same input, with their outputs joined.
    Parallel(structure::Parallel<Layer>),
    /// A learned vector for each token id.
    #[serde(deserialize_with = "number_or_table")]
    Embedding(sequence::Embedding),
    /// Plain recurrent layer.
    #[serde(alias = "simple_rnn", deserialize_with = "number_or_table")]
    Rnn(sequence::Rnn),
    /// Long short-term memory.
    #[serde(deserialize_with = "number_or_table")]
    Lstm(sequence::Lstm),
    /// Gated recurrent unit.
    #[serde(deserialize_with = "number_or_table")]
    Gru(sequence::Gru),
    /// Self-attention with several heads.
    #[serde(deserialize_with = "number_or_table")]
    MultiHeadAttention(sequence::MultiHeadAttention),
    /// Mean over the time steps of a sequence.
    MeanOverTime,
    /// SiLU: `x · sigmoid(x)`.
    #[serde(alias = "swish", deserialize_with = "fixed_settings::of_activation")]
    Silu,
    /// Mish: `x · tanh(softplus(x))`.
    Mish,
    /// Hard swish: `x · min(max(x + 3, 0), 6) / 6`.
    #[serde(alias = "hard_swish", deserialize_with = "fixed_settings::of_activation")]
    Hardswish,
    /// SELU.
    Selu,
    /// PReLU: `x` where positive, `weight · x` elsewhere, with a learned weight.
    Prelu(activation::Prelu),
    /// Logarithm of softmax.
    #[serde(deserialize_with = "fixed_settings::of_softmax")]
    LogSoftmax,
    /// A module written in PyTorch and exported as TorchScript: the path of its file.
    #[serde(rename = "torchscript")]
    TorchScript(TorchScript),
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
            Layer::GlobalAvgPool => &pooling::GlobalAvgPool,
            Layer::Reshape(reshape) => reshape,
            Layer::Residual(block) => block,
            Layer::Repeat(block) => block,
            Layer::Parallel(block) => block,
            Layer::Embedding(embedding) => embedding,
            Layer::Rnn(rnn) => rnn,
            Layer::Lstm(lstm) => lstm,
            Layer::Gru(gru) => gru,
            Layer::MultiHeadAttention(attention) => attention,
            Layer::MeanOverTime => &sequence::MeanOverTime,
            Layer::Silu => &activation::Silu,
            Layer::Mish => &activation::Mish,
            Layer::Hardswish => &activation::Hardswish,
            Layer::Selu => &activation::Selu,
            Layer::Prelu(prelu) => prelu,
            Layer::LogSoftmax => &activation::LogSoftmax,
            Layer::TorchScript(module) => module,
        }
    }

    /// Builds the layer for rows of shape `input` from its parameters and buffers, each `[replicas, …]`, in the order of
    /// [`Layer::parameters`] and [`Layer::buffers`].
    pub fn build(&self, input: &Shape, parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Module {
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
            Layer::GlobalAvgPool => Box::new(pooling::GlobalAvgPool),
            Layer::Reshape(reshape) => Box::new(reshape.clone()),
            Layer::Residual(block) => structure::Residual::build_each(&[block], input, parameters, buffers),
            Layer::Repeat(block) => structure::Repeat::build_each(&[block], input, parameters, buffers),
            Layer::Parallel(block) => structure::Parallel::build_each(&[block], input, parameters, buffers),
            Layer::Embedding(embedding) => Box::new(sequence::StackedEmbedding::new(embedding, parameters)),
            Layer::Rnn(rnn) => Box::new(rnn.build(parameters)),
            Layer::Lstm(lstm) => Box::new(lstm.build(parameters)),
            Layer::Gru(gru) => Box::new(gru.build(parameters)),
            Layer::MultiHeadAttention(attention) => Box::new(sequence::StackedAttention::new(attention, parameters)),
            Layer::MeanOverTime => Box::new(sequence::MeanOverTime),
            Layer::Silu => Box::new(activation::Silu),
            Layer::Mish => Box::new(activation::Mish),
            Layer::Hardswish => Box::new(activation::Hardswish),
            Layer::Selu => Box::new(activation::Selu),
            Layer::Prelu(_) => Box::new(activation::StackedPrelu::new(parameters)),
            Layer::LogSoftmax => Box::new(activation::LogSoftmax),
            Layer::TorchScript(_) => unreachable!("the stack builds the module from its file"),
        }
    }

    /// Like [`Layer::build`], with the settings of each replica. They may differ only in what [`Layer::shared`] omits.
    pub fn build_each(replicas: &[&Layer], input: &Shape, parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Module {
        /// Returns the settings of all replicas that are in this variant of the enum.
        fn all<'a, T>(replicas: &[&'a Layer], settings: impl Fn(&'a Layer) -> Option<&'a T>) -> Vec<&'a T> {
            replicas.iter().filter_map(|layer| settings(layer)).collect()
        }
        match replicas[0] {
            Layer::Dropout(_) => {
                let dropouts =
                    all(replicas, |layer| if let Layer::Dropout(dropout) = layer { Some(dropout) } else { None });
                Box::new(dropout::StackedDropout::new(dropouts))
            }
            Layer::Residual(_) => {
                let blocks = all(replicas, |layer| if let Layer::Residual(block) = layer { Some(block) } else { None });
                structure::Residual::build_each(&blocks, input, parameters, buffers)
            }
            Layer::Repeat(_) => {
                let blocks = all(replicas, |layer| if let Layer::Repeat(block) = layer { Some(block) } else { None });
                structure::Repeat::build_each(&blocks, input, parameters, buffers)
            }
            Layer::Parallel(_) => {
                let blocks = all(replicas, |layer| if let Layer::Parallel(block) = layer { Some(block) } else { None });
                structure::Parallel::build_each(&blocks, input, parameters, buffers)
            }
            first => first.build(input, parameters, buffers),
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
            Layer::Rnn(sequence::Rnn(settings))
            | Layer::Lstm(sequence::Lstm(settings))
            | Layer::Gru(sequence::Gru(settings)) => (settings.init, settings.recurrent_init) = (None, None),
            Layer::Residual(block) => *block = block.shared(),
            Layer::Repeat(block) => *block = block.shared(),
            Layer::Parallel(block) => *block = block.shared(),
            Layer::Prelu(prelu) => prelu.start = 0.0,
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
            | Layer::Softmax
            | Layer::GlobalAvgPool
            | Layer::Reshape(_)
            | Layer::Embedding(_)
            | Layer::MultiHeadAttention(_)
            | Layer::MeanOverTime
            | Layer::Silu
            | Layer::Mish
            | Layer::Hardswish
            | Layer::Selu
            | Layer::LogSoftmax
            | Layer::TorchScript(_) => {}
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

    /// Draws the parameters and buffers of one replica on the CPU, in PyTorch's order.
    pub fn draw(&self, input: &Shape, init: Init) -> InitialTensors {
        InitialTensors {
            parameters: self.parameters(input, init).iter().map(Parameter::draw).collect(),
            buffers: self.buffers(input).iter().map(Buffer::initial).collect(),
        }
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

impl structure::NestedLayer for Layer {
    fn spec(&self) -> &dyn LayerSpec {
        Layer::spec(self)
    }

    fn build_each(replicas: &[&Layer], input: &Shape, parameters: Vec<Tensor>, buffers: Vec<Tensor>) -> Module {
        Layer::build_each(replicas, input, parameters, buffers)
    }

    fn shared(&self) -> Layer {
        Layer::shared(self)
    }

    fn can_be_nested(&self) -> bool {
        !matches!(self, Layer::TorchScript(_))
    }
}

#[cfg(test)]
mod tests {
    use tch::nn::ModuleT;
    use tch::{Device, Kind};

    use super::*;
    use crate::config::shorthand::NamedList;
    use crate::network::stack::Architecture;
    use crate::tensor::generators::{install_until_drop, with_replica};

    /// A row's shape for each layer, `[channels, height, width]` or `[features]`.
    const LAYERS: [(&str, &[i64]); 33] = [
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
        (r#""global_avg_pool""#, &[2, 4, 4]),
        (r#"{ "reshape": [2, 2] }"#, &[4]),
        (r#"{ "residual": [{ "linear": 4 }, { "batch_norm": {} }] }"#, &[4]),
        (r#"{ "repeat": { "times": 2, "layers": [{ "linear": 4 }, "tanh"] } }"#, &[4]),
        (r#"{ "parallel": { "branches": [[{ "linear": 2 }], [{ "dropout": 0.5 }]] } }"#, &[40]),
        (r#"{ "embedding": { "tokens": 30, "units": 2 } }"#, &[4]),
        (r#"{ "rnn": 3 }"#, &[5, 2]),
        (r#"{ "lstm": { "units": 20, "layers": 2, "dropout": 0.5 } }"#, &[5, 2]),
        (r#"{ "gru": { "units": 3, "bidirectional": true, "returns": "sequence" } }"#, &[5, 2]),
        (r#"{ "multi_head_attention": 2 }"#, &[5, 4]),
        (r#""mean_over_time""#, &[5, 4]),
        (r#""silu""#, &[4]),
        (r#""mish""#, &[4]),
        (r#""hardswish""#, &[4]),
        (r#""selu""#, &[4]),
        (r#"{ "prelu": {} }"#, &[4]),
        (r#""log_softmax""#, &[4]),
    ];

    #[test]
    fn what_each_layer_states_about_itself_is_what_it_does() {
        let _generators = install_until_drop(2, Device::Cpu);
        for (text, shape) in LAYERS {
            let NamedList(layers) = serde_json::from_str(&format!("[{text}]")).unwrap();
            let layer: &Layer = &layers[0];
            let spec = layer.spec();
            assert!(text.contains(spec.kind()), "{text} is called {}", spec.kind());
            let size = [&[2, 5], shape].concat();
            let rows = Tensor::arange(size.iter().product::<i64>(), (Kind::Float, Device::Cpu)).sin().view(&size[..]);
            let rows = if spec.kind() == "embedding" { rows.abs().round() } else { rows };
            let last_row_changed = rows.copy();
            let _ = last_row_changed.narrow(1, 4, 1).fill_(if spec.kind() == "embedding" { 2.0 } else { 0.25 });
            let stack = Architecture::follow(std::slice::from_ref(layer), Init::Pytorch, &Shape::from(shape)).unwrap();
            let stack = stack.build(&[1, 2], Device::Cpu).unwrap();
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
