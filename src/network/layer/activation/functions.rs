//! Activations without settings: what they state about themselves. Their functions are in `build.rs`.

use crate::network::layer::fusion::{FusedActivation, Fusion};
use crate::network::layer::layer_spec::{LayerSpec, OutputKind};
use crate::tensor::shape::{Shape, ShapeError};

/// An activation without settings.
#[derive(Debug)]
pub struct Activation {
    fusion: Option<FusedActivation>,
    output_kind: OutputKind,
    saturation_limits: Option<[f64; 2]>,
    can_have_dead_units: bool,
}

/// An elementwise function that states nothing about itself.
pub static ELEMENTWISE: Activation = PLAIN;

const PLAIN: Activation =
    Activation { fusion: None, output_kind: OutputKind::Values, saturation_limits: None, can_have_dead_units: false };

/// ReLU: `max(0, x)`.
pub static RELU: Activation =
    Activation { fusion: Some(FusedActivation::LeakyRelu { slope: 0.0 }), can_have_dead_units: true, ..PLAIN };

/// Sigmoid: `1 / (1 + e⁻ˣ)`.
pub static SIGMOID: Activation = Activation {
    fusion: Some(FusedActivation::Sigmoid),
    output_kind: OutputKind::Probabilities,
    saturation_limits: Some([0.0, 1.0]),
    ..PLAIN
};

/// Hyperbolic tangent.
pub static TANH: Activation =
    Activation { fusion: Some(FusedActivation::Tanh), saturation_limits: Some([-1.0, 1.0]), ..PLAIN };

/// SiLU: `x · sigmoid(x)` (Hendrycks and Gimpel 2016), also called swish; written `"silu"`.
pub static SILU: Activation = Activation { fusion: Some(FusedActivation::Silu), ..PLAIN };

/// Softmax: `eˣ / Σ eˣ` over the values of a row.
pub static SOFTMAX: Activation = Activation { output_kind: OutputKind::Distribution, ..PLAIN };

/// Logarithm of softmax: `x − ln Σ eˣ` over the values of a row; written `"log_softmax"`.
pub static LOG_SOFTMAX: Activation = Activation { output_kind: OutputKind::LogDistribution, ..PLAIN };

impl LayerSpec for Activation {
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let is_over_a_row = matches!(self.output_kind, OutputKind::Distribution | OutputKind::LogDistribution);
        match input.flat() {
            None if is_over_a_row => Err(ShapeError::new(input, "one dimension", "put `\"flatten\"` before it")),
            _ => Ok(input.clone()),
        }
    }

    fn fusion(&self) -> Option<Fusion> {
        self.fusion.map(Fusion::Activation)
    }

    fn output_kind(&self, _input: &Shape) -> OutputKind {
        self.output_kind
    }

    fn saturation_limits(&self) -> Option<[f64; 2]> {
        self.saturation_limits
    }

    fn can_have_dead_units(&self) -> bool {
        self.can_have_dead_units
    }
}
