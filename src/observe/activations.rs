//! Observes activation layers on a sample of rows: dead units and saturated outputs.

use tch::{Kind, Tensor};

use crate::network::layer::Layer;
use crate::network::stack::Stack;
use crate::observe::observer::{Observations, Observer};

/// An output is saturated within this share of its range at either end: 0.05 from 0 or 1 for sigmoid, 0.1 from −1 or 1 for
/// tanh.
const SATURATION_MARGIN: f64 = 0.05;

/// Returns the share of dead units and of saturated outputs for each layer to which they apply.
///
/// # Shapes
/// `sample` `[replicas, rows, …]` → for each such layer, `[replicas]`, f64.
pub fn activation_statistics(observers: &[Observer], stack: &Stack, layers: &[Layer], sample: &Tensor) -> Observations {
    let outputs = stack.forward_each(sample);
    let mut found = Vec::new();
    for (number, (layer, output)) in layers.iter().zip(&outputs).enumerate() {
        for observer in observers.iter().filter(|observer| observer.applies_to(layer, 0)) {
            let share = match (observer, layer.spec().saturation_limits()) {
                (Observer::DeadUnits, _) => dead_units(output),
                (Observer::Saturation, Some(limits)) => saturated(output, limits),
                (Observer::Saturation, None) | (Observer::GradientNorm | Observer::WeightNorm, _) => continue,
            };
            found.push((observer.series(number), share));
        }
    }
    found
}

/// Returns the share of units that are 0 for every row: `[replicas, rows, …]` → `[replicas]`.
fn dead_units(output: &Tensor) -> Tensor {
    share(&output.eq(0.0).all_dim(1, false))
}

/// Returns the share of outputs near either limit: `[replicas, rows, …]` → `[replicas]`.
fn saturated(output: &Tensor, [low, high]: [f64; 2]) -> Tensor {
    let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
    share(&(output - middle).abs().gt(half * (1.0 - 2.0 * SATURATION_MARGIN)))
}

/// Returns the share of elements that are true: `[replicas, …]` → `[replicas]`.
fn share(ones: &Tensor) -> Tensor {
    ones.flatten(1, -1).mean_dim(1, false, Kind::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_dead_when_no_row_wakes_it() {
        let output = Tensor::from_slice(&[0.0_f32, 1.0, 0.0, 0.0, 0.0, 2.0]).view([1, 2, 3]);
        assert_eq!(dead_units(&output).double_value(&[0]), 1.0 / 3.0);
    }
}
