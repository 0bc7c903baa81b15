//! Transformer encoder, as PyTorch's `TransformerEncoder` of `TransformerEncoderLayer`s with `batch_first=True`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::{Module, ModuleT};

use crate::config::check::{self, Invalid, at_least_one, below_one, positive};
use crate::config::defaults;
use crate::network::arena::LayerTensors;
use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_size::LayerSize;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::linear::{Linear, project};
use crate::network::layer::normalization::{LayerNorm, eps};
use crate::network::layer::regularization::{Dropout, StackedDropout};
use crate::network::layer::sequence::multi_head_attention::MultiHeadAttention;
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::{Shape, ShapeError};

/// Layers of self-attention and two linear layers each, with residual connections and layer normalization (Vaswani et al.
/// 2017); written `{ transformer_encoder = { heads = 4, layers = 2 } }`.
///
/// As in PyTorch, all layers start with the same weights unless `init` is set; a `repeat` of encoders with one layer draws
/// different ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformerEncoder {
    /// Number of heads; the number of features must be a multiple (PyTorch: `nhead`).
    #[serde(alias = "num_heads", alias = "nhead")]
    pub heads: usize,
    /// Number of units between the two linear layers (PyTorch: `dim_feedforward`).
    #[serde(default = "feedforward", alias = "dim_feedforward")]
    pub feedforward: usize,
    /// Number of layers (PyTorch: `num_layers`).
    #[serde(default = "defaults::one::<usize>", alias = "num_layers")]
    pub layers: usize,
    /// Probability that a value is zeroed in training: an attention weight, or an output of the attention or of a linear
    /// layer.
    #[serde(default = "tenth")]
    pub dropout: f64,
    /// Activation between the two linear layers.
    #[serde(default)]
    pub activation: EncoderActivation,
    /// Whether layers normalize their inputs instead of their outputs.
    #[serde(default)]
    pub norm_first: bool,
    /// Added to the variance in the normalization (PyTorch: `layer_norm_eps`).
    #[serde(default = "eps", alias = "layer_norm_eps")]
    pub eps: f64,
}

/// Activation of a transformer encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EncoderActivation {
    /// ReLU.
    #[default]
    Relu,
    /// GELU.
    Gelu,
}

fn feedforward() -> usize {
    2048
}

fn tenth() -> f64 {
    0.1
}

/// A layer within an encoder layer.
struct Sublayer {
    name: &'static str,
    kind: &'static str,
    spec: Box<dyn LayerSpec>,
    input: Shape,
}

impl TransformerEncoder {
    fn attention(&self) -> MultiHeadAttention {
        MultiHeadAttention { heads: self.heads, dropout: self.dropout, bias: true }
    }

    fn norm(&self) -> LayerNorm {
        LayerNorm { eps: self.eps, affine: true }
    }

    /// Returns the layers within one encoder layer, in PyTorch's drawing order.
    fn sublayers(&self, input: &Shape) -> [Sublayer; 5] {
        let [time, features] = [0, 1].map(|number| input.dimensions()[number]);
        let linear = |units: usize| Box::new(Linear { units, in_features: None, bias: true, init: None });
        let inner = Shape::from([time, self.feedforward as i64]);
        let outer = |name: &'static str, kind: &'static str, spec: Box<dyn LayerSpec>| Sublayer {
            name,
            kind,
            spec,
            input: input.clone(),
        };
        [
            outer("self_attn", "multi_head_attention", Box::new(self.attention())),
            outer("linear1", "linear", linear(self.feedforward)),
            Sublayer { name: "linear2", kind: "linear", spec: linear(features as usize), input: inner },
            outer("norm1", "layer_norm", Box::new(self.norm())),
            outer("norm2", "layer_norm", Box::new(self.norm())),
        ]
    }

    /// Builds the layer from its parameters, `[replicas, …shape]` each.
    pub fn build(&self, input: &Shape, parameters: Vec<Tensor>) -> StackedTransformerEncoder {
        let counts = self.sublayers(input).map(|layer| layer.spec.parameters(&layer.input, Init::Pytorch).len());
        let mut parameters = parameters.into_iter();
        let layers = (0..self.layers).map(|_| {
            let [attention, linear1, linear2, norm1, norm2] =
                counts.map(|count| parameters.by_ref().take(count).collect::<Vec<Tensor>>());
            let tensors = |parameters| LayerTensors { parameters, buffers: Vec::new() };
            StackedEncoderLayer {
                attention: Stacked::new(&self.attention(), tensors(attention)),
                linear1,
                linear2,
                norm1: Stacked::new(&self.norm(), tensors(norm1)),
                norm2: Stacked::new(&self.norm(), tensors(norm2)),
                dropout: StackedDropout::new([&Dropout { p: self.dropout }]),
                activation: self.activation,
                norm_first: self.norm_first,
            }
        });
        StackedTransformerEncoder(layers.collect())
    }
}

impl LayerSpec for TransformerEncoder {
    fn check(&self) -> Result<(), Invalid> {
        self.attention().check()?;
        check::size("feedforward", self.feedforward)?;
        at_least_one("layers", self.layers)?;
        below_one("dropout", self.dropout)?;
        positive("eps", self.eps)
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        self.attention().output(input)
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let sublayers = self.sublayers(input);
        let of_layer = |number: usize| {
            let of_sublayer = move |layer: &Sublayer| {
                let prefix = format!("layers.{number}.{}", layer.name);
                let parameters = layer.spec.parameters(&layer.input, init).into_iter();
                parameters.map(move |parameter| parameter.under(&prefix)).collect::<Vec<_>>()
            };
            sublayers.iter().flat_map(of_sublayer).collect::<Vec<_>>()
        };
        let mut parameters = of_layer(0);
        let back = parameters.len();
        for number in 1..self.layers {
            // PyTorch copies the first layer
            let copied = |parameter: Parameter| Parameter { draw: Draw::SameAs { back }, ..parameter };
            let layer = of_layer(number).into_iter();
            parameters.extend(layer.map(|parameter| if init == Init::Pytorch { copied(parameter) } else { parameter }));
        }
        parameters
    }

    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        let of_layer: Option<u64> =
            self.sublayers(input).iter().map(|layer| layer.spec.multiply_adds(&layer.input)).sum();
        Some(of_layer? * self.layers as u64)
    }

    fn inner_sizes(&self, input: &Shape) -> Vec<LayerSize> {
        let of_layer = |number: usize| {
            let layer = TransformerEncoder { layers: 1, ..self.clone() };
            let layers =
                self.sublayers(input).map(|layer| layer.spec.size(layer.name.to_owned(), layer.kind, &layer.input));
            LayerSize {
                name: format!("layers.{number}"),
                kind: "encoder layer",
                output: input.clone(),
                parameters: layers.iter().map(|layer| layer.parameters).sum(),
                multiply_adds: layer.multiply_adds(input),
                layers: layers.into(),
            }
        };
        (0..self.layers).map(of_layer).collect()
    }

    fn layer_count(&self) -> usize {
        self.layers
    }

    fn reuses_weights(&self) -> bool {
        true
    }
}

/// Transformer encoder of a stack: `[replicas, batch, time, features]` → the same shape.
#[derive(Debug)]
pub struct StackedTransformerEncoder(Vec<StackedEncoderLayer>);

#[derive(Debug)]
struct StackedEncoderLayer {
    attention: Stacked<MultiHeadAttention>,
    linear1: Vec<Tensor>, // weight and bias
    linear2: Vec<Tensor>, // weight and bias
    norm1: Stacked<LayerNorm>,
    norm2: Stacked<LayerNorm>,
    dropout: StackedDropout,
    activation: EncoderActivation,
    norm_first: bool,
}

impl ModuleT for StackedTransformerEncoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        self.0.iter().fold(xs.shallow_clone(), |xs, layer| layer.forward_t(&xs, train))
    }
}

impl StackedEncoderLayer {
    fn feed_forward(&self, xs: &Tensor, train: bool) -> Tensor {
        let inner = project(xs, &self.linear1[0], Some(&self.linear1[1]));
        let inner = match self.activation {
            EncoderActivation::Relu => inner.relu(),
            EncoderActivation::Gelu => inner.gelu("none"),
        };
        let inner = self.dropout.forward_t(&inner, train);
        self.dropout.forward_t(&project(&inner, &self.linear2[0], Some(&self.linear2[1])), train)
    }
}

impl ModuleT for StackedEncoderLayer {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let attend = |xs: &Tensor| self.dropout.forward_t(&self.attention.forward_t(xs, train), train);
        if self.norm_first {
            let xs = xs + attend(&self.norm1.forward(xs));
            &xs + self.feed_forward(&self.norm2.forward(&xs), train)
        } else {
            let xs = self.norm1.forward(&(xs + attend(xs)));
            self.norm2.forward(&(&xs + self.feed_forward(&xs, train)))
        }
    }
}
