//! Gives rows another shape with as many values.

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
    fn kind(&self) -> &'static str {
        "reshape"
    }

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
