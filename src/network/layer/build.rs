//! How layers are built for a stack.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use crate::network::arena::{Buffer, LayerTensors};
use crate::network::init::{Init, Parameter};
use crate::network::layer::convolution::StackedConvolution;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::stacked::Stacked;
use crate::network::layer::structure::{NestedLayer, Parallel, Repeat, Residual};
use crate::network::layer::window::Sides;
use crate::network::layer::{Layer, Module, flatten, pooling, regularization, sequence};
use crate::tensor::shape::Shape;

/// Returns the settings of all replicas, whose layers are in this variant of the enum.
macro_rules! each {
    ($replicas:expr, $variant:path) => {{
        let settings = |layer: &&'a Layer| if let $variant(settings) = *layer { Some(settings) } else { None };
        $replicas.iter().filter_map(settings).collect::<Vec<_>>()
    }};
}

/// Builds a layer from its settings and tensors.
fn stacked<S: Clone>(settings: &S, tensors: LayerTensors) -> Module
where
    Stacked<S>: ModuleT + 'static,
{
    Box::new(Stacked::new(settings, tensors))
}

/// Builds a layer that is a function of libtorch.
fn function(function: fn(&Tensor) -> Tensor) -> Module {
    Box::new(nn::func(function))
}

impl Layer {
    /// Builds the layer for rows of shape `input` with the settings of each replica, which may differ only in what
    /// [`Layer::shared`] omits, from its tensors, each `[replicas, …]`, in the order of
    /// [`Layer::parameters`] and [`Layer::buffers`].
    pub fn build_each<'a>(replicas: &[&'a Layer], input: &Shape, tensors: LayerTensors) -> Module {
        match replicas[0] {
            Layer::Linear(linear) => stacked(linear, tensors),
            Layer::Conv1d(convolution) => Box::new(StackedConvolution::new(&convolution.window(), tensors.parameters)),
            Layer::Conv2d(convolution) => Box::new(StackedConvolution::new(&convolution.window(), tensors.parameters)),
            Layer::ConvTranspose2d(convolution) => {
                let output_padding = convolution.output_padding.sides();
                Box::new(StackedConvolution::transposed(&convolution.window(), output_padding, tensors.parameters))
            }
            Layer::MaxPool1d(pool) => Box::new(pool.clone()),
            Layer::MaxPool2d(pool) => Box::new(pool.clone()),
            Layer::AvgPool1d(pool) => Box::new(pool.clone()),
            Layer::AvgPool2d(pool) => Box::new(pool.clone()),
            Layer::AdaptiveAvgPool2d(pool) => Box::new(pool.clone()),
            Layer::GlobalAvgPool => Box::new(pooling::GlobalAvgPool),
            Layer::Flatten => Box::new(flatten::Flatten),
            Layer::BatchNorm(norm) => stacked(norm, tensors),
            Layer::LayerNorm(norm) => stacked(norm, tensors),
            Layer::GroupNorm(norm) => stacked(norm, tensors),
            Layer::InstanceNorm(norm) => stacked(norm, tensors),
            Layer::RmsNorm(norm) => stacked(norm, tensors),
            Layer::Dropout(_) => Box::new(regularization::StackedDropout::new(each!(replicas, Layer::Dropout))),
            Layer::Dropout2d(_) => {
                let settings = each!(replicas, Layer::Dropout2d).into_iter().map(|dropout| &dropout.0);
                Box::new(regularization::StackedDropoutVariant::new(Tensor::feature_dropout, settings))
            }
            Layer::AlphaDropout(_) => {
                let settings = each!(replicas, Layer::AlphaDropout).into_iter().map(|dropout| &dropout.0);
                Box::new(regularization::StackedDropoutVariant::new(Tensor::alpha_dropout, settings))
            }
            Layer::Relu => function(Tensor::relu),
            Layer::LeakyRelu(leaky_relu) => Box::new(leaky_relu.clone()),
            Layer::Elu(elu) => Box::new(elu.clone()),
            Layer::Gelu(gelu) => Box::new(gelu.clone()),
            Layer::Softplus(softplus) => Box::new(softplus.clone()),
            Layer::Sigmoid => function(Tensor::sigmoid),
            Layer::Tanh => function(Tensor::tanh),
            Layer::Softmax => function(|xs| xs.softmax(-1, None)),
            Layer::Silu => function(Tensor::silu),
            Layer::Mish => function(Tensor::mish),           // Misra 2019
            Layer::Hardswish => function(Tensor::hardswish), // Howard et al. 2019
            Layer::Selu => function(Tensor::selu),           // Klambauer et al. 2017
            Layer::Prelu(prelu) => stacked(prelu, tensors),
            Layer::LogSoftmax => function(|xs| xs.log_softmax(-1, None)),
            Layer::Reshape(reshape) => Box::new(reshape.clone()),
            Layer::Permute(permute) => Box::new(permute.clone()),
            Layer::Residual(_) => Residual::build_each(&each!(replicas, Layer::Residual), input, tensors),
            Layer::Repeat(_) => Repeat::build_each(&each!(replicas, Layer::Repeat), input, tensors),
            Layer::Parallel(_) => Parallel::build_each(&each!(replicas, Layer::Parallel), input, tensors),
            Layer::Embedding(embedding) => stacked(embedding, tensors),
            Layer::Rnn(rnn) => Box::new(rnn.build(tensors.parameters)),
            Layer::Lstm(lstm) => Box::new(lstm.build(tensors.parameters)),
            Layer::Gru(gru) => Box::new(gru.build(tensors.parameters)),
            Layer::MultiHeadAttention(attention) => stacked(attention, tensors),
            Layer::PositionalEncoding(_) => Box::new(sequence::StackedPositionalEncoding::new(tensors.parameters)),
            Layer::TransformerEncoder(encoder) => Box::new(encoder.build(input, tensors.parameters)),
            Layer::MeanOverTime => Box::new(sequence::MeanOverTime),
            Layer::TorchScript(_) => unreachable!("the stack builds the module from its file"),
        }
    }

    /// Returns the layer with fixed values for the settings that replicas of a stack have separately: initialization
    /// and the probability of dropout.
    pub fn shared(&self) -> Layer {
        let mut layer = self.clone();
        match &mut layer {
            Layer::Linear(linear) => linear.init = None,
            Layer::Conv1d(convolution) => convolution.init = None,
            Layer::Conv2d(convolution) => convolution.init = None,
            Layer::ConvTranspose2d(convolution) => convolution.init = None,
            Layer::Dropout(dropout) => dropout.p = 0.0,
            Layer::Dropout2d(regularization::Dropout2d(dropout))
            | Layer::AlphaDropout(regularization::AlphaDropout(dropout)) => dropout.p = 0.0,
            Layer::Rnn(sequence::Rnn(settings))
            | Layer::Lstm(sequence::Lstm(settings))
            | Layer::Gru(sequence::Gru(settings)) => (settings.init, settings.recurrent_init) = (None, None),
            Layer::Residual(block) => *block = block.shared(),
            Layer::Repeat(block) => *block = block.shared(),
            Layer::Parallel(block) => *block = block.shared(),
            Layer::Prelu(prelu) => prelu.start = 0.0,
            Layer::MaxPool1d(_)
            | Layer::MaxPool2d(_)
            | Layer::AvgPool1d(_)
            | Layer::AvgPool2d(_)
            | Layer::AdaptiveAvgPool2d(_)
            | Layer::GlobalAvgPool
            | Layer::Flatten
            | Layer::BatchNorm(_)
            | Layer::LayerNorm(_)
            | Layer::GroupNorm(_)
            | Layer::InstanceNorm(_)
            | Layer::RmsNorm(_)
            | Layer::Relu
            | Layer::LeakyRelu(_)
            | Layer::Elu(_)
            | Layer::Gelu(_)
            | Layer::Softplus(_)
            | Layer::Sigmoid
            | Layer::Tanh
            | Layer::Softmax
            | Layer::Silu
            | Layer::Mish
            | Layer::Hardswish
            | Layer::Selu
            | Layer::LogSoftmax
            | Layer::Reshape(_)
            | Layer::Permute(_)
            | Layer::Embedding(_)
            | Layer::MultiHeadAttention(_)
            | Layer::PositionalEncoding(_)
            | Layer::TransformerEncoder(_)
            | Layer::MeanOverTime
            | Layer::TorchScript(_) => {}
        }
        layer
    }

    /// Draws the parameters and buffers of one replica on the CPU, in PyTorch's order.
    pub fn draw(&self, input: &Shape, init: Init) -> LayerTensors {
        LayerTensors {
            parameters: Parameter::draw_all(&self.parameters(input, init)),
            buffers: self.buffers(input).iter().map(Buffer::initial).collect(),
        }
    }
}

impl NestedLayer for Layer {
    fn kind(&self) -> &'static str {
        Layer::kind(self)
    }

    fn spec(&self) -> &dyn LayerSpec {
        Layer::spec(self)
    }

    fn build_each(replicas: &[&Layer], input: &Shape, tensors: LayerTensors) -> Module {
        Layer::build_each(replicas, input, tensors)
    }

    fn shared(&self) -> Layer {
        Layer::shared(self)
    }

    fn can_be_nested(&self) -> bool {
        !matches!(self, Layer::TorchScript(_))
    }
}
