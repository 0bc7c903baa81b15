//! Reorders the dimensions of rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, require};
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// Order of the dimensions of a row, counted from 1 (dimension 0 is the batch, as in `x.permute(0, 2, 1)`); written
/// `{ permute = [2, 1] }`, which makes channels×length of time×features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Permute(pub Vec<u32>);

impl LayerSpec for Permute {
    fn kind(&self) -> &'static str {
        "permute"
    }

    fn check(&self) -> Result<(), Invalid> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let is_order = !sorted.is_empty() && sorted.iter().copied().eq(1..=sorted.len() as u32);
        require(is_order, "", "must list each dimension of a row once, from 1", format!("{:?}", self.0))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let lengths = input.dimensions();
        if lengths.len() != self.0.len() {
            let s = if self.0.len() == 1 { "" } else { "s" };
            let wanted = format!("rows with {} dimension{s}", self.0.len());
            return Err(ShapeError::new(
                input,
                wanted,
                "list each dimension of a row once, or put `{ reshape = […] }` before it",
            ));
        }
        let permuted: Vec<i64> = self.0.iter().map(|&dimension| lengths[dimension as usize - 1]).collect();
        Ok(Shape::from(&permuted[..]))
    }
}

impl Module for Permute {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let rows = self.0.iter().map(|&dimension| i64::from(dimension) + 1);
        xs.permute([0, 1].into_iter().chain(rows).collect::<Vec<i64>>())
    }
}
