//! Forward and backward pass of the activations that follow linear layers.
//!
//! Their derivatives are computed from their outputs, so their inputs are not stored.

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
            FusedActivation::Identity | FusedActivation::Sigmoid | FusedActivation::Tanh => {
                map_with_bias(values, bias, units, |x| x)
            }
        }
    }

    /// Applies the rest of the activation, in place: `[rows, units]`.
    pub(crate) fn finish(self, values: &Tensor) {
        let _ = match self {
            FusedActivation::Sigmoid => values.shallow_clone().sigmoid_(), // libtorch's versions are vectorized
            FusedActivation::Tanh => values.shallow_clone().tanh_(),
            FusedActivation::Identity | FusedActivation::LeakyRelu { .. } => return,
        };
    }

    /// Turns the gradient of the outputs into that of the inputs, in place, and sums it over the rows.
    ///
    /// # Shapes
    /// `outputs` and `gradient` are `[rows, units]`; `sums`, the gradient of the bias, is `[units]`, or empty without a
    /// bias.
    pub(crate) fn backward(self, outputs: &[f32], gradient: &mut [f32], sums: &mut [f32], units: usize) {
        match self {
            FusedActivation::Identity => map_and_sum_rows(outputs, gradient, sums, units, |_, g| g),
            FusedActivation::LeakyRelu { slope: 0.0 } => {
                map_and_sum_rows(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { 0.0 });
            }
            FusedActivation::LeakyRelu { slope } => {
                map_and_sum_rows(outputs, gradient, sums, units, |y, g| if y > 0.0 { g } else { slope * g });
            }
            FusedActivation::Sigmoid => map_and_sum_rows(outputs, gradient, sums, units, |y, g| g * ((1.0 - y) * y)),
            FusedActivation::Tanh => map_and_sum_rows(outputs, gradient, sums, units, |y, g| g * (1.0 - y * y)),
        }
    }
}

#[inline(always)]
fn map_with_bias(values: &mut [f32], bias: &[f32], units: usize, activation: impl Fn(f32) -> f32) {
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
fn map_and_sum_rows(
    outputs: &[f32],
    gradient: &mut [f32],
    sums: &mut [f32],
    units: usize,
    gradient_at_input: impl Fn(f32, f32) -> f32,
) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
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
        },
    );
}
