//! Embedding of token ids, as PyTorch's `Embedding`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::Module;
use tch::{Device, Kind, Tensor};

use crate::config::check::{self, Invalid, require};
use crate::config::shorthand::{FromNumber, size};
use crate::device::fault::Fault;
use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::{Shape, ShapeError};

/// A learned vector for each token; written `{ embedding = 32 }` after `[data.text]`, which states the number of tokens, or
/// `{ embedding = { tokens = 1000, units = 32 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Number of tokens: ids are 0 to `tokens − 1` (PyTorch: `num_embeddings`; Keras: `input_dim`). By default, the number
    /// of ids of `[data.text]`.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "num_embeddings", alias = "input_dim")]
    pub tokens: Option<usize>,
    /// Length of a vector (PyTorch: `embedding_dim`; Keras: `output_dim`).
    #[serde(alias = "embedding_dim", alias = "output_dim", alias = "dim")]
    pub units: usize,
    /// Id whose vector starts at 0 and is not trained (PyTorch: `padding_idx`); `[data.text]` pads with 0.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "padding_idx")]
    pub padding: Option<usize>,
}

impl FromNumber for Embedding {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(Embedding { tokens: None, units: size(number, "the number of units")?, padding: None })
    }
}

impl LayerSpec for Embedding {
    fn check(&self) -> Result<(), Invalid> {
        let Some(tokens) = self.tokens else {
            let hint = "write the number of token ids, such as `{ embedding = { tokens = 1000, units = 32 } }`";
            return Err(Invalid::new("tokens", "is missing, and only `[data.text]` sets it by itself").hint(hint));
        };
        check::size("tokens", tokens)?;
        check::size("units", self.units)?;
        let padding = self.padding.filter(|padding| *padding >= tokens);
        let wanted = format!("must be below `tokens`, which is {tokens}");
        padding.map_or(Ok(()), |padding| require(false, "padding", &wanted, padding))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match input.flat() {
            Some(time) => Ok(Shape::from([time as i64, self.units as i64])),
            None => Err(ShapeError::new(input, "a row of token ids", "put it first, or `\"flatten\"` before it")),
        }
    }

    fn parameters(&self, _input: &Shape, init: Init) -> Vec<Parameter> {
        let shape = vec![self.tokens.unwrap_or_default() as i64, self.units as i64];
        let draw = match (init, self.padding) {
            (Init::Pytorch, None) => Draw::Normal { mean: 0.0, std: 1.0 },
            (Init::Pytorch, Some(padding)) => Draw::NormalThenZeroRow { row: padding as i64 },
            (init, _) => return vec![init.weight("weight", shape)],
        };
        vec![Parameter { name: "weight".into(), shape, draw }]
    }

    fn reuses_weights(&self) -> bool {
        true
    }
}

/// Checks that rows on the CPU are ids below `tokens`, and throws a [`Fault`] otherwise.
pub fn check_ids(rows: &Tensor, tokens: i64) {
    if rows.numel() == 0 {
        return;
    }
    let ids = rows.to_kind(Kind::Int64);
    let differs = ids.to_kind(rows.kind()).ne_tensor(rows);
    if differs.any().int64_value(&[]) == 1 {
        let found = rows.masked_select(&differs).double_value(&[0]);
        Fault::Input(format!("`embedding` takes token ids, whole numbers from 0, but a row has {found}")).throw();
    }
    let (low, high) = (ids.min().int64_value(&[]), ids.max().int64_value(&[]));
    if low < 0 || high >= tokens {
        let id = if low < 0 { low } else { high };
        let last = tokens - 1;
        Fault::Input(format!("token {id} is outside the vocabulary of `embedding`: ids are 0 to {last}")).throw();
    }
}

/// `[replicas, batch, time]`, whole numbers of any type → `[replicas, batch, time, units]`. The weight is `[replicas, tokens,
/// units]`.
impl Module for Stacked<Embedding> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let weight = &self.parameters[0];
        let [replicas, tokens, _] = weight.size()[..] else { unreachable!("three dimensions") };
        let ids = xs.to_kind(Kind::Int64);
        if ids.device() == Device::Cpu {
            check_ids(xs, tokens); // on a GPU this would wait for it; rows are checked before they move there
        }
        // the weights of a stack are parts of one arena, so that a single look-up for all replicas would copy them
        let padding = self.settings.padding.map_or(-1, |padding| padding as i64);
        let vectors = |replica| Tensor::embedding(&weight.get(replica), &ids.get(replica), padding, false, false);
        Tensor::stack(&(0..replicas).map(vectors).collect::<Vec<_>>(), 0)
    }
}
