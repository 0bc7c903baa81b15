//! Encoding of the position of a time step.

use std::cell::OnceCell;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::Module;
use tch::{Device, Kind, Tensor};

use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::sequence::time_steps::time_and_features;
use crate::tensor::shape::{Shape, ShapeError};

/// Adds a vector to each time step that encodes its position: sines and cosines (Vaswani et al. 2017), or learned values;
/// written `"positional_encoding"` or `{ positional_encoding = { learned = true } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionalEncoding {
    /// Whether the vectors are learned, as those of an `nn.Embedding` of the positions.
    #[serde(default)]
    pub learned: bool,
}

impl LayerSpec for PositionalEncoding {
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        time_and_features(input).map(Shape::from)
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let shape = input.dimensions().to_vec();
        match init {
            _ if !self.learned => Vec::new(),
            Init::Pytorch => {
                vec![Parameter { name: "weight".into(), shape, draw: Draw::Normal { mean: 0.0, std: 1.0 } }]
            }
            init => vec![init.weight("weight", shape)],
        }
    }
}

/// Positional encoding layer of a stack: `[replicas, batch, time, features]` → the same shape.
#[derive(Debug)]
pub struct StackedPositionalEncoding {
    weight: Option<Tensor>,  // learned, [replicas, time, features]
    waves: OnceCell<Tensor>, // not learned, [time, features]
}

impl StackedPositionalEncoding {
    /// Builds the layer from its weight, `[replicas, time, features]`, or without one.
    pub fn new(parameters: Vec<Tensor>) -> Self {
        StackedPositionalEncoding { weight: parameters.into_iter().next(), waves: OnceCell::new() }
    }
}

impl Module for StackedPositionalEncoding {
    fn forward(&self, xs: &Tensor) -> Tensor {
        match &self.weight {
            Some(weight) => xs + weight.unsqueeze(1),
            None => xs + self.waves.get_or_init(|| waves(xs.size()[2], xs.size()[3], xs.device())),
        }
    }
}

/// Returns the sines (even features) and cosines (odd features) of each position, `[time, features]`, computed as in
/// PyTorch's tutorials.
fn waves(time: i64, features: i64, device: Device) -> Tensor {
    let positions = Tensor::arange(time, (Kind::Float, device)).unsqueeze(1);
    let even = Tensor::arange_start_step(0, features, 2, (Kind::Float, device));
    let angles = positions * (even * (-10_000_f64.ln() / features as f64)).exp(); // [time, ⌈features / 2⌉]
    Tensor::stack(&[angles.sin(), angles.cos()], 2).flatten(1, 2).narrow(1, 0, features)
}
