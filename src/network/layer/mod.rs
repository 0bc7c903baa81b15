//! Layers available in experiment files, with PyTorch's names; Keras's names are accepted as aliases.
//!
//! A layer is parsed from the file, checks its input shape, lists the parameters it needs, and is built from views of
//! the parameter arena. What it states about itself is in its file ([`LayerSpec`]). To add a layer, add a file, and here
//! a variant and the match arms that the compiler then asks for; see `docs/internals/adding-a-layer.md`.

pub mod activation;
mod build;
pub mod convolution;
mod fixed_settings;
pub mod flatten;
pub mod fusion;
pub mod layer_size;
pub mod layer_spec;
pub mod linear;
pub mod normalization;
pub mod pooling;
pub mod regularization;
mod replica_channels;
pub mod sequence;
pub mod stacked;
pub mod structure;
mod token_count;
pub mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::config::shorthand::{list_or_table, number_or_table};
use crate::network::arena::Buffer;
use crate::network::init::{Init, Parameter};
use crate::network::layer::activation::functions;
use crate::network::torchscript::TorchScript;
use crate::tensor::shape::{Shape, ShapeError};
pub use fusion::{FusedActivation, Fusion};
pub use layer_spec::{LayerSpec, OutputKind, Stacking};

/// A built layer, such as `nn.Sequential` holds.
pub type Module = Box<dyn ModuleT>;

/// Maximum number of layers of a network, with all repetitions.
pub const MOST_LAYERS: usize = 10_000;

/// One layer of a network, as written in an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Fully connected layer: `y = x Wᵀ + b`.
    #[serde(alias = "dense", deserialize_with = "number_or_table")]
    Linear(linear::Linear),
    /// 2-D convolution.
    Conv2d(convolution::Conv2d),
    /// 1-D convolution of a signal.
    Conv1d(convolution::Conv1d),
    /// Transposed 2-D convolution, which enlarges an image.
    #[serde(alias = "conv2d_transpose")]
    ConvTranspose2d(convolution::ConvTranspose2d),
    /// Maximum of each window of an image.
    #[serde(alias = "max_pooling2d", deserialize_with = "number_or_table")]
    MaxPool2d(pooling::MaxPool2d),
    /// Average of each window of an image.
    #[serde(alias = "average_pooling2d", deserialize_with = "number_or_table")]
    AvgPool2d(pooling::AvgPool2d),
    /// Maximum of each window of a signal.
    #[serde(alias = "max_pooling1d", deserialize_with = "number_or_table")]
    MaxPool1d(pooling::MaxPool1d),
    /// Average of each window of a signal.
    #[serde(alias = "average_pooling1d", deserialize_with = "number_or_table")]
    AvgPool1d(pooling::AvgPool1d),
    /// Averages that give an image a fixed height and width.
    AdaptiveAvgPool2d(pooling::AdaptiveAvgPool2d),
    /// Flattens all dimensions of a row into one.
    #[serde(deserialize_with = "fixed_settings::of_flatten")]
    Flatten,
    /// Batch normalization: normalizes each channel over the batch.
    #[serde(alias = "batch_norm1d", alias = "batch_norm2d", alias = "batch_normalization")]
    BatchNorm(normalization::BatchNorm),
    /// Layer normalization: normalizes each row over its values.
    #[serde(alias = "layer_normalization")]
    LayerNorm(normalization::LayerNorm),
    /// Group normalization: normalizes each row over groups of channels.
    #[serde(alias = "group_normalization", deserialize_with = "number_or_table")]
    GroupNorm(normalization::GroupNorm),
    /// Instance normalization: normalizes each channel of each row.
    #[serde(alias = "instance_norm1d", alias = "instance_norm2d")]
    InstanceNorm(normalization::InstanceNorm),
    /// RMS normalization: divides each row by the root of its mean square.
    #[serde(alias = "rms_normalization")]
    RmsNorm(normalization::RmsNorm),
    /// Zeroes each value with probability `p` in training, and scales the others by `1 / (1 − p)`.
    #[serde(deserialize_with = "number_or_table")]
    Dropout(regularization::Dropout),
    /// Zeroes each channel of an image with probability `p` in training, and scales the others by `1 / (1 − p)`.
    #[serde(alias = "spatial_dropout2d", deserialize_with = "number_or_table")]
    Dropout2d(regularization::Dropout2d),
    /// Dropout for networks with `selu`: preserves mean and variance.
    #[serde(deserialize_with = "number_or_table")]
    AlphaDropout(regularization::AlphaDropout),
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
    /// Reorders the dimensions of rows.
    Permute(structure::Permute),
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
    /// Adds an encoding of its position to each time step.
    PositionalEncoding(sequence::PositionalEncoding),
    /// Layers of self-attention and two linear layers each, with residual connections and normalization.
    TransformerEncoder(sequence::TransformerEncoder),
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

impl Layer {
    /// Returns the layer's name in experiment files, and its settings.
    fn named_spec(&self) -> (&'static str, &dyn LayerSpec) {
        match self {
            Layer::Linear(linear) => ("linear", linear),
            Layer::Conv1d(convolution) => ("conv1d", convolution),
            Layer::Conv2d(convolution) => ("conv2d", convolution),
            Layer::ConvTranspose2d(convolution) => ("conv_transpose2d", convolution),
            Layer::MaxPool2d(pool) => ("max_pool2d", pool),
            Layer::AvgPool2d(pool) => ("avg_pool2d", pool),
            Layer::MaxPool1d(pool) => ("max_pool1d", pool),
            Layer::AvgPool1d(pool) => ("avg_pool1d", pool),
            Layer::AdaptiveAvgPool2d(pool) => ("adaptive_avg_pool2d", pool),
            Layer::Flatten => ("flatten", &flatten::Flatten),
            Layer::BatchNorm(norm) => ("batch_norm", norm),
            Layer::LayerNorm(norm) => ("layer_norm", norm),
            Layer::GroupNorm(norm) => ("group_norm", norm),
            Layer::InstanceNorm(norm) => ("instance_norm", norm),
            Layer::RmsNorm(norm) => ("rms_norm", norm),
            Layer::Dropout(dropout) => ("dropout", dropout),
            Layer::Dropout2d(dropout) => ("dropout2d", dropout),
            Layer::AlphaDropout(dropout) => ("alpha_dropout", dropout),
            Layer::Relu => ("relu", &functions::RELU),
            Layer::LeakyRelu(leaky_relu) => ("leaky_relu", leaky_relu),
            Layer::Elu(elu) => ("elu", elu),
            Layer::Gelu(gelu) => ("gelu", gelu),
            Layer::Softplus(softplus) => ("softplus", softplus),
            Layer::Sigmoid => ("sigmoid", &functions::SIGMOID),
            Layer::Tanh => ("tanh", &functions::TANH),
            Layer::Softmax => ("softmax", &functions::SOFTMAX),
            Layer::GlobalAvgPool => ("global_avg_pool", &pooling::GlobalAvgPool),
            Layer::Reshape(reshape) => ("reshape", reshape),
            Layer::Permute(permute) => ("permute", permute),
            Layer::Residual(block) => ("residual", block),
            Layer::Repeat(block) => ("repeat", block),
            Layer::Parallel(block) => ("parallel", block),
            Layer::Embedding(embedding) => ("embedding", embedding),
            Layer::Rnn(rnn) => ("rnn", rnn),
            Layer::Lstm(lstm) => ("lstm", lstm),
            Layer::Gru(gru) => ("gru", gru),
            Layer::MultiHeadAttention(attention) => ("multi_head_attention", attention),
            Layer::PositionalEncoding(encoding) => ("positional_encoding", encoding),
            Layer::TransformerEncoder(encoder) => ("transformer_encoder", encoder),
            Layer::MeanOverTime => ("mean_over_time", &sequence::MeanOverTime),
            Layer::Silu => ("silu", &functions::SILU),
            Layer::Mish => ("mish", &functions::ELEMENTWISE),
            Layer::Hardswish => ("hardswish", &functions::ELEMENTWISE),
            Layer::Selu => ("selu", &functions::ELEMENTWISE),
            Layer::Prelu(prelu) => ("prelu", prelu),
            Layer::LogSoftmax => ("log_softmax", &functions::LOG_SOFTMAX),
            Layer::TorchScript(module) => ("torchscript", module),
        }
    }

    /// Returns the layer's settings, which state what the layer needs and does.
    pub fn spec(&self) -> &dyn LayerSpec {
        self.named_spec().1
    }

    /// Returns the layer's name in experiment files.
    pub fn kind(&self) -> &'static str {
        self.named_spec().0
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
    use tch::{Device, Kind, Tensor};

    use super::*;
    use crate::config::shorthand::NamedList;
    use crate::device::compute_mode::ComputeMode;
    use crate::device::precision::Precision;
    use crate::network::stack::{Architecture, Stack};
    use crate::tensor::generators::{install_until_drop, with_replica};

    /// A row's shape for each layer, `[channels, height, width]` or `[features]`.
    const LAYERS: [(&str, &[i64]); 46] = [
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
        (r#"{ "conv1d": { "channels": 2, "kernel": 2 } }"#, &[2, 5]),
        (r#"{ "conv_transpose2d": { "channels": 2, "kernel": 2 } }"#, &[1, 3, 3]),
        (r#"{ "max_pool1d": 2 }"#, &[2, 5]),
        (r#"{ "avg_pool1d": 2 }"#, &[2, 5]),
        (r#"{ "adaptive_avg_pool2d": 2 }"#, &[1, 5, 5]),
        (r#"{ "group_norm": 2 }"#, &[4, 3]),
        (r#"{ "instance_norm": { "affine": true, "track_running_stats": true } }"#, &[2, 3, 3]),
        (r#"{ "rms_norm": {} }"#, &[4]),
        (r#"{ "dropout2d": 0.5 }"#, &[20, 2, 2]),
        (r#"{ "alpha_dropout": 0.5 }"#, &[40]),
        (r#"{ "permute": [2, 1] }"#, &[3, 2]),
        (r#"{ "positional_encoding": { "learned": true } }"#, &[3, 2]),
        (r#"{ "transformer_encoder": { "heads": 2, "feedforward": 3 } }"#, &[5, 4]),
    ];

    /// Returns a stack of two networks of one layer, and five rows for each.
    fn stack_and_rows(layer: &Layer, shape: &[i64]) -> (Stack, Tensor) {
        let size = [&[2, 5], shape].concat();
        let rows = Tensor::arange(size.iter().product::<i64>(), (Kind::Float, Device::Cpu)).sin().view(&size[..]);
        let rows = if layer.kind() == "embedding" { rows.abs().round() } else { rows };
        let architecture =
            Architecture::follow(std::slice::from_ref(layer), Init::Pytorch, &Shape::from(shape)).unwrap();
        (architecture.build(&[1, 2], Device::Cpu).unwrap(), rows)
    }

    #[test]
    fn what_each_layer_states_about_itself_is_what_it_does() {
        let _generators = install_until_drop(2, Device::Cpu);
        for (text, shape) in LAYERS {
            let NamedList(layers) = serde_json::from_str(&format!("[{text}]")).unwrap();
            let layer: &Layer = &layers[0];
            let spec = layer.spec();
            assert!(text.contains(layer.kind()), "{text} is called {}", layer.kind());
            let (stack, rows) = stack_and_rows(layer, shape);
            let last_row_changed = rows.copy();
            let _ = last_row_changed.narrow(1, 4, 1).fill_(if layer.kind() == "embedding" { 2.0 } else { 0.25 });
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
            assert_eq!(sum_to_one, spec.output_kind(&Shape::from(shape)) == OutputKind::Distribution, "{text}");
        }
    }

    #[test]
    fn each_layer_has_nearly_the_same_outputs_and_finite_gradients_in_bfloat16() {
        let _generators = install_until_drop(2, Device::Cpu);
        for (text, shape) in LAYERS {
            let NamedList(layers) = serde_json::from_str(&format!("[{text}]")).unwrap();
            let (stack, rows) = stack_and_rows(&layers[0], shape);
            let exact = stack.forward_t(&rows, false);
            ComputeMode { precision: Precision::Bf16, deterministic: false }.apply();
            let rounded = stack.forward_t(&rows, false);
            let after_another = stack.forward_t(&rows.to_kind(Kind::BFloat16), false); // as after a linear layer
            let trained = stack.forward_t(&rows, true);
            ComputeMode::default().apply();
            assert_eq!(rounded.kind(), Kind::Float, "{text}");
            assert!(rounded.allclose(&exact, 0.02, 0.02, false), "{text}: {rounded} is not {exact}");
            assert!(after_another.allclose(&exact, 0.04, 0.04, false), "{text}: {after_another} is not {exact}");
            if trained.requires_grad() {
                let gradient = stack.arena().gradient(&trained.square().sum(Kind::Float));
                assert!(bool::try_from(gradient.isfinite().all()).unwrap(), "{text}");
            }
        }
    }
}
