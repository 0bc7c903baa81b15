//! Weight initialization. Parameters are drawn on the CPU in PyTorch's order for every device, so that the same seed
//! gives the same network everywhere.
//!
//! A scheme draws the same values as its `torch.nn.init` function on a new tensor of the parameter's shape, with the
//! generator in the state that the previous layers left. It replaces the layer's own initialization: in PyTorch that is
//! `skip_init` followed by `torch.nn.init`. Under every scheme except `pytorch`, biases start at 0 and draw no random
//! numbers, so `xavier_uniform` matches Keras's default. Normalization layers always start with weight 1 and bias 0.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, not_negative, positive, require};
use crate::config::defaults;
use crate::config::shorthand::{FromNumber, number_or_table};

/// Initialization scheme for the weights of linear and convolution layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// PyTorch's default: weight and bias both U(±1/√fan_in).
    #[default]
    Pytorch,
    /// All zeros.
    Zeros,
    /// A constant.
    #[serde(deserialize_with = "number_or_table")]
    Constant(Constant),
    /// N(mean, std²).
    Normal(Normal),
    /// U(low, high).
    Uniform(Uniform),
    /// U(±gain · √(6 / (fan_in + fan_out))) (Glorot and Bengio 2010).
    #[serde(alias = "glorot_uniform", deserialize_with = "number_or_table")]
    XavierUniform(Xavier),
    /// N(0, gain² · 2 / (fan_in + fan_out)).
    #[serde(alias = "glorot_normal", deserialize_with = "number_or_table")]
    XavierNormal(Xavier),
    /// U(±gain · √(3 / fan_in)), with gain √2 for ReLU (He et al. 2015).
    #[serde(alias = "kaiming_uniform", deserialize_with = "number_or_table")]
    HeUniform(He),
    /// N(0, gain² / fan_in), with gain √2 for ReLU.
    #[serde(alias = "kaiming_normal", deserialize_with = "number_or_table")]
    HeNormal(He),
}

/// Settings of a constant, written `{ constant = 0.1 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The value of all weights.
    pub value: f64,
}

/// Settings of a normal distribution, written `"normal"` or `{ normal = { std = 0.01 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// The mean.
    #[serde(default)]
    pub mean: f64,
    /// The standard deviation.
    #[serde(default = "defaults::one::<f64>")]
    pub std: f64,
}

/// Settings of a uniform distribution, written `"uniform"` or `{ uniform = { low = -0.05, high = 0.05 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Lower bound, inclusive (PyTorch's `a`).
    #[serde(default)]
    pub low: f64,
    /// Upper bound, exclusive (PyTorch's `b`).
    #[serde(default = "defaults::one::<f64>")]
    pub high: f64,
}

/// Settings of Xavier initialization, written `"xavier_uniform"` or, with a gain, `{ xavier_uniform = 1.67 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Xavier {
    /// Factor that scales the distribution.
    #[serde(default = "defaults::one::<f64>")]
    pub gain: f64,
}

/// Settings of He initialization, written `"he_normal"` or, with a gain, `{ he_normal = 1 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct He {
    /// Factor that scales the distribution: √2 compensates for ReLU, which zeroes half of the values.
    #[serde(default = "root_of_two")]
    pub gain: f64,
}

fn root_of_two() -> f64 {
    2.0_f64.sqrt()
}

impl FromNumber for Constant {
    fn from_number(value: f64) -> Result<Self, String> {
        Ok(Constant { value })
    }
}

impl FromNumber for Xavier {
    fn from_number(gain: f64) -> Result<Self, String> {
        Ok(Xavier { gain })
    }
}

impl FromNumber for He {
    fn from_number(gain: f64) -> Result<Self, String> {
        Ok(He { gain })
    }
}

/// A parameter that a layer needs: its name, its shape for one replica, and its initial distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name in the `state_dict`, without the layer's index: `weight`, `bias`.
    pub name: Cow<'static, str>,
    /// The shape for one replica, in PyTorch's layout: a linear weight is `[out, in]`.
    pub shape: Vec<i64>,
    /// Distribution of the initial values.
    pub draw: Draw,
}

/// Distribution of initial values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// A constant; draws no random numbers.
    Constant(f64),
    /// Uniform distribution from `low` (inclusive) to `high` (exclusive).
    Uniform {
        /// Lower bound, inclusive.
        low: f64,
        /// Upper bound, exclusive.
        high: f64,
    },
    /// Normal distribution.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal distribution with mean 0 and standard deviation 1, and then one row of the matrix is 0.
    NormalThenZeroRow {
        /// Index of the row.
        row: i64,
    },
    /// Drawn from [low, high), and then 0: the draw only advances the generator.
    UniformThenZero {
        /// Lower bound of the draw.
        low: f64,
        /// Upper bound of the draw.
        high: f64,
    },
    /// The values of an earlier parameter; draws no random numbers.
    SameAs {
        /// How many parameters before this one it is.
        back: usize,
    },
}

impl Init {
    /// Checks the scheme's settings.
    ///
    /// # Errors
    /// When a setting is out of range. Keys are relative to the scheme.
    pub fn check(&self) -> Result<(), Invalid> {
        let finite = |key, value: f64| require(value.is_finite(), key, "must be a finite number", value);
        match self {
            Init::Pytorch | Init::Zeros => Ok(()),
            Init::Constant(Constant { value }) => finite("constant.value", *value),
            Init::Normal(Normal { mean, std }) => {
                finite("normal.mean", *mean).and_then(|()| not_negative("normal.std", *std))
            }
            Init::Uniform(Uniform { low, high }) => {
                finite("uniform.low", *low)?;
                finite("uniform.high", *high)?;
                require(low <= high, "uniform.low", &format!("must be at most `high`, which is {high}"), low)
            }
            Init::XavierUniform(Xavier { gain }) => positive("xavier_uniform.gain", *gain),
            Init::XavierNormal(Xavier { gain }) => positive("xavier_normal.gain", *gain),
            Init::HeUniform(He { gain }) => positive("he_uniform.gain", *gain),
            Init::HeNormal(He { gain }) => positive("he_normal.gain", *gain),
        }
    }

    /// Returns a weight of shape `[out, in, …]`.
    pub fn weight(self, name: &'static str, shape: Vec<i64>) -> Parameter {
        let [fan_in, fan_out] = fans(&shape);
        let both = fan_in + fan_out;
        // The same operations as in torch.nn.init, in the same order, so that bounds agree to the last bit.
        let within = |bound: f64| Draw::Uniform { low: -bound, high: bound };
        let draw = match self {
            Init::Pytorch => {
                let a = 5.0_f64.sqrt(); // kaiming_uniform_(a = √5)
                let gain = (2.0 / (1.0 + a * a)).sqrt();
                within(3.0_f64.sqrt() * (gain / fan_in.sqrt()))
            }
            Init::Zeros => Draw::Constant(0.0),
            Init::Constant(Constant { value }) => Draw::Constant(value),
            Init::Normal(Normal { mean, std }) => Draw::Normal { mean, std },
            Init::Uniform(Uniform { low, high }) => Draw::Uniform { low, high },
            Init::XavierUniform(Xavier { gain }) => within(3.0_f64.sqrt() * (gain * (2.0 / both).sqrt())),
            Init::XavierNormal(Xavier { gain }) => Draw::Normal { mean: 0.0, std: gain * (2.0 / both).sqrt() },
            Init::HeUniform(He { gain }) => within(3.0_f64.sqrt() * (gain / fan_in.sqrt())),
            Init::HeNormal(He { gain }) => Draw::Normal { mean: 0.0, std: gain / fan_in.sqrt() },
        };
        Parameter { name: name.into(), shape, draw }
    }

    /// Returns the weight of shape `[out, in, …]` and, with `has_bias`, its bias.
    pub fn weight_and_bias(self, shape: Vec<i64>, has_bias: bool) -> Vec<Parameter> {
        let mut parameters = vec![self.weight("weight", shape)];
        if has_bias {
            parameters.push(self.bias("bias", &parameters[0]));
        }
        parameters
    }

    /// Returns the bias that belongs to `weight`: one value per output.
    pub fn bias(self, name: &'static str, weight: &Parameter) -> Parameter {
        let draw = match self {
            Init::Pytorch => {
                let bound = 1.0 / fans(&weight.shape)[0].sqrt();
                Draw::Uniform { low: -bound, high: bound }
            }
            _ => Draw::Constant(0.0),
        };
        Parameter { name: name.into(), shape: vec![weight.shape[0]], draw }
    }
}

/// Returns fan_in and fan_out of a weight `[out, in, …]`; both include the area of the kernel.
fn fans(shape: &[i64]) -> [f64; 2] {
    let area: f64 = shape[2..].iter().map(|&length| length as f64).product();
    [shape[1] as f64 * area, shape[0] as f64 * area]
}

impl Draw {
    /// Returns the same draw, whose values are then replaced by 0, as some layers of PyTorch do.
    pub fn then_zero(self) -> Draw {
        match self {
            Draw::Uniform { low, high } => Draw::UniformThenZero { low, high },
            _ => Draw::Constant(0.0),
        }
    }
}

/// Returns the number of values of all parameters for one replica; `i64::MAX` if it is too large for an i64.
pub fn count_elements(parameters: &[Parameter]) -> usize {
    parameters.iter().fold(0_i64, |sum, parameter| sum.saturating_add(parameter.elements())) as usize
}

impl Parameter {
    /// Returns the parameter with `prefix` and a dot before its name.
    pub fn under(self, prefix: &str) -> Parameter {
        Parameter { name: format!("{prefix}.{}", self.name).into(), ..self }
    }

    /// Returns the number of values for one replica; `i64::MAX` if it is too large for an i64.
    pub fn elements(&self) -> i64 {
        self.shape.iter().fold(1, |product: i64, &length| product.saturating_mul(length))
    }

    /// Draws the values of one replica from libtorch's generator in its current state; `before` are the values of the
    /// parameters before it.
    ///
    /// # Shapes
    /// Returns the parameter's shape, f32, on the CPU.
    fn draw(&self, before: &[Tensor]) -> Tensor {
        let mut values = Tensor::empty(&self.shape[..], (Kind::Float, Device::Cpu));
        match self.draw {
            Draw::Constant(value) => values.fill_(value),
            Draw::Uniform { low, high } => values.uniform_(low, high),
            Draw::Normal { mean, std } => values.normal_(mean, std),
            Draw::NormalThenZeroRow { row } => {
                let values = values.normal_(0.0, 1.0);
                let _ = values.get(row).zero_();
                values
            }
            Draw::UniformThenZero { low, high } => values.uniform_(low, high).zero_(),
            Draw::SameAs { back } => before[before.len() - back].copy(),
        }
    }

    /// Draws the values of one replica for all parameters of a layer in order.
    pub fn draw_all(parameters: &[Parameter]) -> Vec<Tensor> {
        let mut drawn = Vec::with_capacity(parameters.len());
        parameters.iter().for_each(|parameter| drawn.push(parameter.draw(&drawn)));
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shorthand::{named, named_or_none};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        #[serde(deserialize_with = "named")]
        network: Init,
        #[serde(default, deserialize_with = "named_or_none")]
        layer: Option<Init>,
    }

    fn read(text: &str) -> Result<Holder, String> {
        toml_edit::de::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scheme_is_read_by_name_number_or_table_and_its_resolved_form_reads_back_the_same() {
        let he = Init::HeNormal(He { gain: 2.0_f64.sqrt() });
        let cases = [
            ("\"pytorch\"", Init::Pytorch),
            ("\"zeros\"", Init::Zeros),
            ("\"he_normal\"", he),
            ("\"kaiming_normal\"", he),
            ("{ constant = 0.1 }", Init::Constant(Constant { value: 0.1 })),
            ("\"normal\"", Init::Normal(Normal { mean: 0.0, std: 1.0 })),
            ("{ normal = { std = 1e-3 } }", Init::Normal(Normal { mean: 0.0, std: 1e-3 })),
            ("{ uniform = { low = -1, high = 0.5 } }", Init::Uniform(Uniform { low: -1.0, high: 0.5 })),
            ("{ glorot_uniform = 2 }", Init::XavierUniform(Xavier { gain: 2.0 })),
        ];
        for (written, wanted) in cases {
            let found = read(&format!("network = {written}\nlayer = {written}")).unwrap();
            assert_eq!(found, Holder { network: wanted, layer: Some(wanted) });
            assert_eq!(read(&toml_edit::ser::to_string(&found).unwrap()).unwrap(), found);
            assert_eq!(serde_json::from_value::<Holder>(serde_json::to_value(&found).unwrap()).unwrap(), found);
        }
        let without = read("network = \"zeros\"").unwrap();
        assert_eq!(without.layer, None);
        assert_eq!(serde_json::from_value::<Holder>(serde_json::to_value(&without).unwrap()).unwrap(), without);
    }

    #[test]
    fn an_unknown_scheme_lists_the_known_ones() {
        let fault = read("network = \"he_norml\"").unwrap_err();
        assert!(fault.contains("unknown variant `he_norml`") && fault.contains("`he_normal`"), "{fault}");
        assert!(read("network = \"constant\"").unwrap_err().contains("missing field `value`"));
    }

    #[test]
    fn negative_std_and_low_above_high_are_errors() {
        let fault = Init::Normal(Normal { mean: 0.0, std: -1.0 }).check().unwrap_err();
        assert_eq!(fault.key, "normal.std");
        let fault = Init::Uniform(Uniform { low: 2.0, high: 1.0 }).check().unwrap_err();
        assert_eq!(fault.to_string(), "`uniform.low` must be at most `high`, which is 1, found 2");
        assert!(Init::HeUniform(He { gain: 0.0 }).check().is_err());
    }

    #[test]
    fn biases_start_at_0_under_every_scheme_but_pytorchs() {
        let weight = Init::Zeros.weight("weight", vec![3, 4]);
        assert_eq!(Init::HeUniform(He { gain: 1.0 }).bias("bias", &weight).draw, Draw::Constant(0.0));
        assert_eq!(Init::Pytorch.bias("bias", &weight).draw, Draw::Uniform { low: -0.5, high: 0.5 });
    }
}
