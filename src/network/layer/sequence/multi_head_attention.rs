//! Self-attention with several heads, as PyTorch's `MultiheadAttention(x, x, x)` with `batch_first=True`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::{Invalid, at_least_one, below_one};
use crate::config::defaults;
use crate::config::shorthand::{FromNumber, size};
use crate::network::init::{Draw, Init, Parameter, Xavier};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::linear::project;
use crate::network::layer::regularization::{Dropout, StackedDropout};
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::{Shape, ShapeError};

/// Each time step takes a weighted mean of all steps, for each head (Vaswani et al. 2017); written `{ multi_head_attention
/// = 4 }` or with all settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MultiHeadAttention {
    /// Number of heads; the number of features must be a multiple (PyTorch: `num_heads`).
    #[serde(alias = "num_heads")]
    pub heads: usize,
    /// Probability that an attention weight is zeroed in training.
    #[serde(default)]
    pub dropout: f64,
    /// Whether to add biases.
    #[serde(default = "defaults::yes")]
    pub bias: bool,
}

impl FromNumber for MultiHeadAttention {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(MultiHeadAttention { heads: size(number, "the number of heads")?, dropout: 0.0, bias: true })
    }
}

impl LayerSpec for MultiHeadAttention {
    fn check(&self) -> Result<(), Invalid> {
        at_least_one("heads", self.heads)?;
        below_one("dropout", self.dropout)
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match *input.dimensions() {
            [_, features] if features % self.heads as i64 == 0 => Ok(input.clone()),
            [..] => {
                let wanted = format!("time×features, with features a multiple of the {} heads", self.heads);
                let hint = "put `{ reshape = [time, features] }` or a `linear` layer before it";
                Err(ShapeError::new(input, wanted, hint))
            }
        }
    }

    /// Returns the parameters in PyTorch's drawing order: those of the output first.
    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let features = input.dimensions()[1];
        let output = Init::Pytorch.weight("out_proj.weight", vec![features, features]);
        let drawn = Init::Pytorch.bias("out_proj.bias", &output);
        let inputs = match init {
            Init::Pytorch => Init::XavierUniform(Xavier { gain: 1.0 }),
            init => init,
        };
        let weight = inputs.weight("in_proj_weight", vec![3 * features, features]);
        let output =
            if init == Init::Pytorch { output } else { init.weight("out_proj.weight", vec![features, features]) };
        match self.bias {
            true => vec![
                output,
                Parameter { draw: drawn.draw.then_zero(), ..drawn },
                weight,
                Parameter { name: "in_proj_bias".into(), shape: vec![3 * features], draw: Draw::Constant(0.0) },
            ],
            false => vec![output, weight],
        }
    }

    /// Four projections of each time step, and the two products of all pairs of steps.
    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        let [time, features] = [0, 1].map(|number| input.dimensions()[number] as u64);
        Some(4 * time * features * features + 2 * time * time * features)
    }

    fn reuses_weights(&self) -> bool {
        true
    }
}

/// `[replicas, batch, time, features]` → the same shape. The weights are `[replicas, features, features]` of the output and
/// `[replicas, 3 · features, features]` of the input.
impl ModuleT for Stacked<MultiHeadAttention> {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let features = xs.size()[3];
        let (heads, dropout) = (self.settings.heads as i64, self.settings.dropout);
        let of_head = features / heads;
        let ([output, input], [output_bias, input_bias]) = match &self.parameters[..] {
            [output, output_bias, input, input_bias] => ([output, input], [Some(output_bias), Some(input_bias)]),
            [output, input] => ([output, input], [None, None]),
            _ => unreachable!("two weights, with or without their biases"),
        };
        let projected = project(xs, input, input_bias);
        // [replicas, batch, time, features] → [replicas, batch, heads, time, features of a head]
        let part = |number: i64| {
            projected.narrow(3, number * features, features).unflatten(3, [heads, of_head]).transpose(2, 3)
        };
        let (query, key, value) = (part(0) / (of_head as f64).sqrt(), part(1), part(2));
        let weights = query.matmul(&key.transpose(-2, -1)).softmax(-1, None);
        let weights = StackedDropout::new([&Dropout { p: dropout }]).forward_t(&weights, train);
        // with time before batch in memory, as PyTorch's output: a following dropout draws in the order of the memory
        let heads = weights.matmul(&value).permute([0, 3, 1, 2, 4]).flatten(3, 4);
        project(&heads, output, output_bias).transpose(1, 2)
    }
}
