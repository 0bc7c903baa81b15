//! Recurrent layers as in PyTorch: `RNN`, `LSTM` and `GRU` with `batch_first=True`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::ModuleT;
use tch::{Kind, Tensor};

use crate::config::check::{self, Invalid, at_least_one, below_one};
use crate::config::defaults;
use crate::config::shorthand::{FromNumber, named_or_none, size};
use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::sequence::time_steps::time_and_features;
use crate::tensor::generators::with_replica;
use crate::tensor::shape::{Shape, ShapeError};

/// Settings of `rnn`, `lstm` and `gru`; written `{ lstm = 64 }` or with all settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recurrent {
    /// Number of units (PyTorch: `hidden_size`).
    #[serde(alias = "hidden_size")]
    pub units: usize,
    /// Number of layers, each on the outputs of the one before (PyTorch: `num_layers`).
    #[serde(default = "defaults::one::<usize>", alias = "num_layers")]
    pub layers: usize,
    /// Whether a second network reads the sequence backward; the number of outputs doubles.
    #[serde(default)]
    pub bidirectional: bool,
    /// Probability that a value between two layers is zeroed in training.
    #[serde(default)]
    pub dropout: f64,
    /// Whether to add biases.
    #[serde(default = "defaults::yes")]
    pub bias: bool,
    /// The outputs after the last time step (`last`) or after each one (`sequence`). `last` takes the last step of each
    /// direction.
    #[serde(default)]
    pub returns: Returns,
    /// Initialization scheme of the weights; the default is that of the network.
    #[serde(default, deserialize_with = "named_or_none")]
    pub init: Option<Init>,
    /// Initialization scheme of the recurrent weights; the default is that of the other weights.
    #[serde(default, deserialize_with = "named_or_none")]
    pub recurrent_init: Option<Init>,
    /// Activation of `rnn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonlinearity: Option<Nonlinearity>,
}

/// Outputs of a recurrent layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// `[units]`.
    #[default]
    Last,
    /// `[time, units]`.
    Sequence,
}

/// Activation of a plain recurrent layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nonlinearity {
    /// Hyperbolic tangent.
    #[default]
    Tanh,
    /// ReLU.
    Relu,
}

/// Recurrence of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Rnn(Nonlinearity),
    Lstm,
    Gru,
}

impl Cell {
    /// Returns the number of gates: rows of the weights for each unit.
    fn gates(self) -> i64 {
        match self {
            Cell::Rnn(_) => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }
}

impl Recurrent {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(Recurrent {
            units: size(number, "the number of units")?,
            layers: 1,
            bidirectional: false,
            dropout: 0.0,
            bias: true,
            returns: Returns::Last,
            init: None,
            recurrent_init: None,
            nonlinearity: None,
        })
    }

    fn check(&self) -> Result<(), Invalid> {
        check::size("units", self.units)?;
        at_least_one("layers", self.layers)?;
        below_one("dropout", self.dropout)?;
        if self.dropout > 0.0 && self.layers == 1 {
            let fault = Invalid::new("dropout", "acts between layers, but there is only one");
            return Err(fault.hint("add a layer `{ dropout = … }` after it, or set `layers = 2`"));
        }
        let check = |key: &'static str, init: Option<Init>| {
            init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under(key)))
        };
        check("init", self.init).and_then(|()| check("recurrent_init", self.recurrent_init))
    }

    fn directions(&self) -> i64 {
        if self.bidirectional { 2 } else { 1 }
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let outputs = self.units as i64 * self.directions();
        let [time, _] = time_and_features(input)?;
        Ok(match self.returns {
            Returns::Last => Shape::from([outputs]),
            Returns::Sequence => Shape::from([time, outputs]),
        })
    }

    /// Returns the parameters in PyTorch's drawing order.
    fn parameters(&self, input: &Shape, init: Init, cell: Cell) -> Vec<Parameter> {
        let (units, init) = (self.units as i64, self.init.unwrap_or(init));
        let rows = cell.gates() * units;
        let bound = 1.0 / (units as f64).sqrt();
        let uniform = Draw::Uniform { low: -bound, high: bound };
        let by = |scheme: Init, name: String, shape: Vec<i64>| match scheme {
            Init::Pytorch => Parameter { name: name.into(), shape, draw: uniform },
            scheme => Parameter { name: name.into(), ..scheme.weight("", shape) },
        };
        let mut parameters = Vec::new();
        for layer in 0..self.layers {
            let inputs = if layer == 0 { input.dimensions()[1] } else { units * self.directions() };
            for direction in ["", "_reverse"].into_iter().take(self.directions() as usize) {
                let name = |part: &str| format!("{part}_l{layer}{direction}");
                parameters.push(by(init, name("weight_ih"), vec![rows, inputs]));
                parameters.push(by(self.recurrent_init.unwrap_or(init), name("weight_hh"), vec![rows, units]));
                for part in ["bias_ih", "bias_hh"].into_iter().filter(|_| self.bias) {
                    let draw = if init == Init::Pytorch { uniform } else { Draw::Constant(0.0) };
                    parameters.push(Parameter { name: name(part).into(), shape: vec![rows], draw });
                }
            }
        }
        parameters
    }
}

/// Implements a recurrent layer with this cell.
macro_rules! recurrent_layer {
    ($(#[$doc:meta])* $layer:ident, $cell:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $layer(pub Recurrent);

        impl FromNumber for $layer {
            fn from_number(number: f64) -> Result<Self, String> {
                Recurrent::from_number(number).map($layer)
            }
        }

        impl $layer {
            fn cell(&self) -> Cell {
                let cell: fn(&Recurrent) -> Cell = $cell;
                cell(&self.0)
            }

            /// Builds the layer from its parameters, `[replicas, …shape]` each.
            pub fn build(&self, parameters: Vec<Tensor>) -> StackedRecurrent {
                StackedRecurrent { settings: self.0.clone(), cell: self.cell(), parameters }
            }
        }

        impl LayerSpec for $layer {
            fn check(&self) -> Result<(), Invalid> {
                if self.0.nonlinearity.is_some() && !matches!(self.cell(), Cell::Rnn(_)) {
                    return Err(Invalid::new("nonlinearity", "applies to `rnn` only"));
                }
                self.0.check()
            }

            fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
                self.0.output(input)
            }

            fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
                self.0.parameters(input, init, self.cell())
            }

            fn multiply_adds(&self, input: &Shape) -> Option<u64> {
                let parameters = self.parameters(input, Init::Pytorch);
                let weights = parameters.iter().filter(|parameter| parameter.name.starts_with("weight"));
                Some((input.dimensions()[0] * weights.map(Parameter::elements).sum::<i64>()) as u64)
            }

            fn layer_count(&self) -> usize {
                self.0.layers
            }

            fn reuses_weights(&self) -> bool {
                true
            }

            /// libtorch's recurrent operations have no replica axis.
            fn stacking(&self) -> Stacking {
                Stacking::GpuOnly
            }
        }
    };
}

recurrent_layer!(
    /// Plain recurrent layer (Elman 1990): `h' = tanh(W x + b + V h + c)`.
    Rnn,
    |settings| Cell::Rnn(settings.nonlinearity.unwrap_or_default())
);
recurrent_layer!(
    /// Long short-term memory (Hochreiter and Schmidhuber 1997).
    Lstm,
    |_| Cell::Lstm
);
recurrent_layer!(
    /// Gated recurrent unit (Cho et al. 2014).
    Gru,
    |_| Cell::Gru
);

/// Recurrent layer of a stack: `[replicas, batch, time, features]` → `[replicas, batch, units]` or `[replicas, batch,
/// time, units]`.
#[derive(Debug)]
pub struct StackedRecurrent {
    settings: Recurrent,
    cell: Cell,
    parameters: Vec<Tensor>, // [replicas, …shape] each
}

impl StackedRecurrent {
    /// Computes one replica: `[batch, time, features]` → `[batch, units]` or `[batch, time, units]`.
    fn forward_replica(&self, xs: &Tensor, parameters: &[&Tensor], train: bool) -> Tensor {
        let Recurrent { layers, bidirectional, dropout, bias, units, .. } = self.settings;
        let directions = self.settings.directions();
        let layers = layers as i64;
        let start = Tensor::zeros([layers * directions, xs.size()[0], units as i64], (Kind::Float, xs.device()));
        let (sequence, last) = match self.cell {
            Cell::Lstm => {
                let states = [&start, &start];
                let (sequence, last, _) =
                    xs.lstm(&states, parameters, bias, layers, dropout, train, bidirectional, true);
                (sequence, last)
            }
            Cell::Gru => xs.gru(&start, parameters, bias, layers, dropout, train, bidirectional, true),
            Cell::Rnn(Nonlinearity::Tanh) => {
                xs.rnn_tanh(&start, parameters, bias, layers, dropout, train, bidirectional, true)
            }
            Cell::Rnn(Nonlinearity::Relu) => {
                xs.rnn_relu(&start, parameters, bias, layers, dropout, train, bidirectional, true)
            }
        };
        match self.settings.returns {
            Returns::Sequence => sequence,
            // of the last layer: [directions, batch, units] → [batch, directions · units]
            Returns::Last => last.narrow(0, (layers - 1) * directions, directions).transpose(0, 1).flatten(1, 2),
        }
    }
}

impl ModuleT for StackedRecurrent {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let by_parameter: Vec<Vec<Tensor>> = self.parameters.iter().map(|parameter| parameter.unbind(0)).collect();
        let outputs = xs.unbind(0).into_iter().enumerate().map(|(replica, xs)| {
            let parameters: Vec<&Tensor> = by_parameter.iter().map(|of_replicas| &of_replicas[replica]).collect();
            with_replica(replica, || self.forward_replica(&xs, &parameters, train))
        });
        Tensor::stack(&outputs.collect::<Vec<_>>(), 0)
    }
}
