//! Activations whose slope can be told from what came out of them: nothing else has to be kept for the way back.

use tch::Tensor;

use crate::network::layer::Layer;

/// What follows a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    /// Nothing.
    Identity,
    /// `x` where positive, `slope · x` elsewhere; ReLU has the slope 0.
    LeakyRelu { slope: f32 },
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// The activation that a layer is; `None` where it is none of these.
    pub(crate) fn of(layer: &Layer) -> Option<Activation> {
        match layer {
            Layer::Relu => Some(Activation::LeakyRelu { slope: 0.0 }),
            Layer::LeakyRelu(leaky) => Some(Activation::LeakyRelu { slope: leaky.negative_slope as f32 }),
            Layer::Sigmoid => Some(Activation::Sigmoid),
            Layer::Tanh => Some(Activation::Tanh),
            _ => None,
        }
    }

    /// Adds the bias and applies the activation, in place: `[rows, units]`, `bias` `[units]` or empty. What libtorch does
    /// better is left to [`Activation::finish`].
    pub(crate) fn apply(self, values: &mut [f32], bias: &[f32], units: usize) {
        match self {
            Activation::LeakyRelu { slope: 0.0 } => biased(values, bias, units, |x| if x < 0.0 { 0.0 } else { x }),
            Activation::LeakyRelu { slope } => biased(values, bias, units, |x| if x < 0.0 { slope * x } else { x }),
            Activation::Identity | Activation::Sigmoid | Activation::Tanh => biased(values, bias, units, |x| x),
        }
    }

    /// The rest of what is done to the values, in place.
    pub(crate) fn finish(self, values: &Tensor) {
        let _ = match self {
            Activation::Sigmoid => values.shallow_clone().sigmoid_(), // libtorch's are vectorized
            Activation::Tanh => values.shallow_clone().tanh_(),
            Activation::Identity | Activation::LeakyRelu { .. } => return,
        };
    }

    /// Turns the gradient of what came out into that of what went in, in place, and sums it over the rows.
    ///
    /// # Shapes
    /// `outputs` and `gradient` are `[rows, units]`; `sums`, of the bias, `[units]` or empty.
    pub(crate) fn back(self, outputs: &[f32], gradient: &mut [f32], sums: &mut [f32], units: usize) {
        match self {
            Activation::Identity => summed(outputs, gradient, sums, units, |_, g| g),
            Activation::LeakyRelu { slope: 0.0 } => {
                summed(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { 0.0 });
            }
            Activation::LeakyRelu { slope } => {
                summed(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { slope * g });
            }
            Activation::Sigmoid => summed(outputs, gradient, sums, units, |y, g| g * ((1.0 - y) * y)),
            Activation::Tanh => summed(outputs, gradient, sums, units, |y, g| g * (1.0 - y * y)),
        }
    }
}

#[inline(always)]
fn biased(values: &mut [f32], bias: &[f32], units: usize, activation: impl Fn(f32) -> f32) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            if bias.is_empty() {
                values.iter_mut().for_each(|value| *value = activation(*value));
            } else {
                for row in values.chunks_exact_mut(units) {
                    row.iter_mut().zip(bias).for_each(|(value, bias)| *value = activation(*value + bias));
                }
            }
        },
    );
}

#[inline(always)]
fn summed(outputs: &[f32], gradient: &mut [f32], sums: &mut [f32], units: usize, of_inputs: impl Fn(f32, f32) -> f32) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            gradient.iter_mut().zip(outputs).for_each(|(gradient, output)| *gradient = of_inputs(*output, *gradient));
            if sums.is_empty() {
                return;
            }
            sums.fill(0.0);
            for row in gradient.chunks_exact(units) {
                sums.iter_mut().zip(row).for_each(|(sum, gradient)| *sum += *gradient);
            }
        },
    );
}
