//! Fully connected layer, with a separate weight matrix for each replica. It acts on a row, or on each time step of a
//! sequence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{self, Invalid};
use crate::config::defaults;
use crate::config::shorthand::{FromNumber, named_or_none, size};
use crate::network::init::{Init, Parameter};
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::stacked::Stacked;
use crate::tensor::shape::{Shape, ShapeError};

/// `y = x Wᵀ + b`; written `{ linear = 64 }` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Number of outputs (PyTorch: `out_features`; Keras: `units`).
    #[serde(alias = "out_features")]
    pub units: usize,
    /// Number of inputs. It is inferred; if it is set, it must match the previous layer.
    #[serde(default)]
    pub in_features: Option<usize>,
    /// Whether to add a bias.
    #[serde(default = "defaults::yes")]
    pub bias: bool,
    /// Initialization scheme of the weight; the default is that of the network.
    #[serde(default, deserialize_with = "named_or_none")]
    pub init: Option<Init>,
}

impl FromNumber for Linear {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(Linear { units: size(number, "the number of units")?, in_features: None, bias: true, init: None })
    }
}

/// Returns the number of features: the last length of `[features]` or `[time, features]`, `None` for images.
fn last_of(input: &Shape) -> Option<usize> {
    match *input.dimensions() {
        [features] | [_, features] => Some(features as usize),
        _ => None,
    }
}

impl LayerSpec for Linear {
    fn check(&self) -> Result<(), Invalid> {
        check::size("units", self.units)?;
        self.init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under("init")))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match (last_of(input), self.in_features) {
            (None, _) => {
                let wanted = Shape::from([self.in_features.unwrap_or(input.elements()) as i64]);
                Err(ShapeError::new(input, wanted.to_string(), "put `\"flatten\"` before it"))
            }
            (Some(found), Some(wanted)) if found != wanted => {
                let wanted = Shape::from([wanted as i64]);
                Err(ShapeError::new(input, wanted.to_string(), "remove `in_features`: it is found automatically"))
            }
            _ => {
                let mut output = input.dimensions().to_vec();
                output.splice(output.len() - 1.., [self.units as i64]);
                Ok(Shape::from(&output[..]))
            }
        }
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let features = last_of(input).unwrap_or(input.elements());
        self.init.unwrap_or(init).weight_and_bias(vec![self.units as i64, features as i64], self.bias)
    }

    fn multiply_adds(&self, input: &Shape) -> Option<u64> {
        Some((input.elements() * self.units) as u64)
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Linear)
    }
}

/// Returns the products with the weight `[replicas, out, in]`, plus the bias `[replicas, out]`: `[replicas, batch, in]` →
/// `[replicas, batch, out]`, or `[replicas, batch, time, in]` → `[replicas, batch, time, out]`.
pub(super) fn project(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    if let [_, batch, time, _] = xs.size()[..] {
        return project(&xs.flatten(1, 2), weight, bias).unflatten(1, [batch, time]);
    }
    let weight = weight.transpose(1, 2);
    match bias {
        Some(bias) => bias.unsqueeze(1).baddbmm(xs, &weight, 1, 1),
        None => xs.bmm(&weight),
    }
}

impl Module for Stacked<Linear> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        project(xs, &self.parameters[0], self.parameters.get(1))
    }
}
