//! Initial values of parameters, drawn on the CPU in PyTorch's order whatever the device, so that the same seed gives
//! the same network everywhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

/// How a network's parameters are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// `nn.Linear`'s own: weight and bias both U(±1/√fan_in).
    #[default]
    Pytorch,
}

/// A parameter that a layer needs: its name within the layer, its shape for one replica, and its first values.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name in `state_dict`, without the layer's number: `weight`, `bias`.
    pub name: &'static str,
    /// The shape for one replica, PyTorch's layout: a linear weight is `[out, in]`.
    pub shape: Vec<i64>,
    /// How it is drawn.
    pub draw: Draw,
}

/// A distribution of first values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// Uniform in `±bound`.
    Uniform {
        /// The largest magnitude.
        bound: f64,
    },
}

impl Init {
    /// A weight with `fan_in` inputs to each output.
    pub fn weight(self, name: &'static str, shape: Vec<i64>, fan_in: usize) -> Parameter {
        let draw = match self {
            // The very operations of kaiming_uniform_(a = √5), so that the last bit of the bound agrees.
            Init::Pytorch => {
                let a = 5.0_f64.sqrt();
                let gain = (2.0 / (1.0 + a * a)).sqrt();
                let std = gain / (fan_in as f64).sqrt();
                Draw::Uniform { bound: 3.0_f64.sqrt() * std }
            }
        };
        Parameter { name, shape, draw }
    }

    /// A bias of a layer with `fan_in` inputs to each output.
    pub fn bias(self, name: &'static str, shape: Vec<i64>, fan_in: usize) -> Parameter {
        let draw = match self {
            Init::Pytorch => Draw::Uniform { bound: 1.0 / (fan_in as f64).sqrt() },
        };
        Parameter { name, shape, draw }
    }
}

impl Parameter {
    /// The number of values for one replica.
    pub fn elements(&self) -> i64 {
        self.shape.iter().product()
    }

    /// Draws the values of one replica from libtorch's generator as it stands.
    ///
    /// # Shapes
    /// Returns the parameter's shape, f32, on the CPU.
    pub fn draw(&self) -> Tensor {
        let mut values = Tensor::empty(&self.shape[..], (Kind::Float, Device::Cpu));
        match self.draw {
            Draw::Uniform { bound } => values.uniform_(-bound, bound),
        }
    }
}
