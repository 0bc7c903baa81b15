//! Forward and backward pass of the activations that follow linear layers.
//!
//! Derivatives are computed from the outputs if possible, so that the inputs need not be stored.

use tch::Tensor;

use crate::network::layer::fusion::FusedActivation;

impl FusedActivation {
    /// Adds the bias and applies the activation, in place, except for the part that libtorch computes faster
    /// ([`FusedActivation::finish`]).
    ///
    /// # Shapes
    /// `values` is `[rows, units]`, `bias` `[units]` or empty.
    pub(crate) fn apply(self, values: &mut [f32], bias: &[f32], units: usize) {
        match self {
            FusedActivation::LeakyRelu { slope: 0.0 } => {
                map_with_bias(values, bias, units, |x| if x < 0.0 { 0.0 } else { x })
            }
            FusedActivation::LeakyRelu { slope } => {
                map_with_bias(values, bias, units, |x| if x < 0.0 { slope * x } else { x })
            }
            _ => map_with_bias(values, bias, units, |x| x),
        }
    }

    /// Returns whether the derivative is computed from the input.
    pub(crate) fn needs_input(self) -> bool {
        matches!(self, FusedActivation::Silu | FusedActivation::Gelu { .. })
    }

    /// Applies the rest of the activation: `[rows, units]` → `outputs`, the same tensor unless the input is needed.
    pub(crate) fn finish(self, values: &Tensor, outputs: &Tensor) {
        let _ = match self {
            FusedActivation::Sigmoid => outputs.shallow_clone().sigmoid_(), // libtorch's versions are vectorized
            FusedActivation::Tanh => outputs.shallow_clone().tanh_(),
            FusedActivation::Elu => outputs.shallow_clone().elu_(),
            FusedActivation::Silu => values.silu_out(outputs),
            FusedActivation::Gelu { approximate } => values.gelu_out(outputs, approximate),
            FusedActivation::Identity | FusedActivation::LeakyRelu { .. } => return,
        };
    }

    /// Turns the gradient of the outputs into that of the inputs, in place, for activations that need the input.
    ///
    /// # Shapes
    /// Both are `[rows, units]`.
    pub(crate) fn backward_from_input(self, inputs: &Tensor, gradient: &Tensor) {
        let _ = match self {
            FusedActivation::Silu => inputs.silu_backward_grad_input(gradient, gradient),
            FusedActivation::Gelu { approximate } => inputs.gelu_backward_grad_input(gradient, gradient, approximate),
            _ => return,
        };
    }

    /// Turns the gradient of the outputs into that of the inputs, in place, and sums it over the rows. If the activation
    /// needs the input, only sums.
    ///
    /// # Shapes
    /// `outputs` and `gradient` are `[rows, units]`; `sums`, the gradient of the bias, is `[units]`, or empty without a
    /// bias.
    pub(crate) fn backward(self, outputs: &[f32], gradient: &mut [f32], sums: &mut [f32], units: usize) {
        match self {
            FusedActivation::Identity | FusedActivation::Silu | FusedActivation::Gelu { .. } => {
                map_and_sum_rows(outputs, gradient, sums, units, |_, g| g);
            }
            FusedActivation::LeakyRelu { slope: 0.0 } => {
                map_and_sum_rows(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { 0.0 });
            }
            FusedActivation::LeakyRelu { slope } => {
                map_and_sum_rows(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { slope * g });
            }
            FusedActivation::Sigmoid => map_and_sum_rows(outputs, gradient, sums, units, |y, g| g * ((1.0 - y) * y)),
            FusedActivation::Tanh => map_and_sum_rows(outputs, gradient, sums, units, |y, g| g * (1.0 - y * y)),
            FusedActivation::Elu => {
                map_and_sum_rows(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { g * (y + 1.0) });
            }
        }
    }
}

#[inline(always)]
fn map_with_bias(values: &mut [f32], bias: &[f32], units: usize, activation: impl Fn(f32) -> f32) {
    vectorized!({
        if bias.is_empty() {
            values.iter_mut().for_each(|value| *value = activation(*value));
        } else {
            for row in values.chunks_exact_mut(units) {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value = activation(*value + bias));
            }
        }
    });
}

#[inline(always)]
fn map_and_sum_rows(
    outputs: &[f32],
    gradient: &mut [f32],
    sums: &mut [f32],
    units: usize,
    gradient_at_input: impl Fn(f32, f32) -> f32,
) {
    vectorized!({
        gradient
            .iter_mut()
            .zip(outputs)
            .for_each(|(gradient, output)| *gradient = gradient_at_input(*output, *gradient));
        if sums.is_empty() {
            return;
        }
        sums.fill(0.0);
        for row in gradient.chunks_exact(units) {
            sums.iter_mut().zip(row).for_each(|(sum, gradient)| *sum += *gradient);
        }
    });
}
