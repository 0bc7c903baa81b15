//! Embedding of token ids, as PyTorch's `Embedding`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::Module;
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, at_least_one};
use crate::device::fault::Fault;
use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// A learned vector for each token; written `{ embedding = { tokens = 1000, units = 32 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Number of tokens: ids are 0 to `tokens − 1` (PyTorch: `num_embeddings`; Keras: `input_dim`).
    #[serde(alias = "num_embeddings", alias = "input_dim")]
    pub tokens: usize,
    /// Length of a vector (PyTorch: `embedding_dim`; Keras: `output_dim`).
    #[serde(alias = "embedding_dim", alias = "output_dim")]
    pub units: usize,
}

impl LayerSpec for Embedding {
    fn kind(&self) -> &'static str {
        "embedding"
    }

    fn check(&self) -> Result<(), Invalid> {
        at_least_one("tokens", self.tokens)?;
        at_least_one("units", self.units)
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match input.flat() {
            Some(time) => Ok(Shape::from([time as i64, self.units as i64])),
            None => Err(ShapeError {
                wanted: "a row of token ids".to_owned(),
                found: input.clone(),
                hint: Some("put it first, or `\"flatten\"` before it"),
                problem: None,
            }),
        }
    }

    fn parameters(&self, _input: &Shape, init: Init) -> Vec<Parameter> {
        let shape = vec![self.tokens as i64, self.units as i64];
        vec![match init {
            Init::Pytorch => Parameter { name: "weight".into(), shape, draw: Draw::Normal { mean: 0.0, std: 1.0 } },
            init => init.weight("weight", shape),
        }]
    }

    fn reuses_weights(&self) -> bool {
        true
    }
}

/// Embedding layer of a stack: `[replicas, batch, time]`, whole numbers of any type → `[replicas, batch, time, units]`.
#[derive(Debug)]
pub struct StackedEmbedding {
    weight: Tensor, // [replicas, tokens, units]
}

impl StackedEmbedding {
    /// Builds the layer from the weight, `[replicas, tokens, units]`.
    pub fn new(mut parameters: Vec<Tensor>) -> Self {
        StackedEmbedding { weight: parameters.remove(0) }
    }
}

impl Module for StackedEmbedding {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let [replicas, tokens, units] = self.weight.size()[..] else { unreachable!("three dimensions") };
        let ids = xs.to_kind(Kind::Int64);
        if ids.device() == Device::Cpu && ids.numel() > 0 {
            let (low, high) = (ids.min().int64_value(&[]), ids.max().int64_value(&[]));
            if low < 0 || high >= tokens {
                let id = if low < 0 { low } else { high };
                let last = tokens - 1;
                Fault::Other(format!("token {id} is outside the vocabulary of `embedding`: ids are 0 to {last}"))
                    .throw();
            }
        }
        let first = Tensor::arange(replicas, (Kind::Int64, ids.device())).view([-1, 1, 1]) * tokens;
        let weight = self.weight.view([replicas * tokens, units]);
        Tensor::embedding(&weight, &(ids + first), -1, false, false)
    }
}
