//! Layers that give rows another shape: `reshape`, and `permute`, which reorders their dimensions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, require};
use crate::network::layer::layer_spec::LayerSpec;
use crate::tensor::shape::{Shape, ShapeError};

/// New shape of a row, in the order of its values; written `{ reshape = [28, 28] }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reshape(pub Vec<u32>);

impl Reshape {
    fn lengths(&self) -> Vec<i64> {
        self.0.iter().map(|&length| i64::from(length)).collect()
    }
}

impl LayerSpec for Reshape {
    fn check(&self) -> Result<(), Invalid> {
        let is_shape = !self.0.is_empty() && self.0.len() <= 5 && !self.0.contains(&0);
        require(is_shape, "", "must list 1 to 5 lengths of at least 1", format!("{:?}", self.0))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let output = Shape::from(&self.lengths()[..]);
        let product = self.lengths().iter().try_fold(1_i64, |product, &length| product.checked_mul(length));
        match product == Some(input.elements() as i64) {
            true => Ok(output),
            false => Err(ShapeError {
                wanted: format!("as many values as its shape {output} has"),
                found: input.clone(),
                hint: None,
                problem: None,
            }),
        }
    }
}

impl Module for Reshape {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.reshape([&xs.size()[..2], &self.lengths()].concat())
    }
}

/// Order of the dimensions of a row, counted from 1 (dimension 0 is the batch, as in `x.permute(0, 2, 1)`); written
/// `{ permute = [2, 1] }`, which makes channels×length of time×features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Permute(pub Vec<u32>);

impl LayerSpec for Permute {
    fn check(&self) -> Result<(), Invalid> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let is_order = !sorted.is_empty() && sorted.iter().copied().eq(1..=sorted.len() as u32);
        require(
            is_order,
            "",
            "must list each dimension of a row once, counted from 1, as in `[2, 1]`",
            format!("{:?}", self.0),
        )
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let lengths = input.dimensions();
        if lengths.len() != self.0.len() {
            let s = if self.0.len() == 1 { "" } else { "s" };
            let wanted = format!("rows with {} dimension{s}", self.0.len());
            return Err(ShapeError::new(
                input,
                wanted,
                "list as many dimensions as a row has, or put `{ reshape = […] }` before it",
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
