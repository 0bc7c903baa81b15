//! Observers: statistics of the layers during training, stored in the history as additional series.
//!
//! A series is named after the observer and the layer's index: `gradient_norm.0`. All values are computed on the device
//! for every replica at once, and are copied to the CPU together with the epoch's metrics.

pub mod activations;
pub mod norms;
pub mod observer;

use tch::Tensor;

use crate::network::layer::Layer;
use crate::network::stack::Stack;
use crate::observe::observer::{Observations, Observer};

/// Returns what is observed after an epoch, on a sample of training rows `[replicas, rows, …]`. Gradients are observed
/// at each step instead ([`norms::gradient_norms`]).
pub fn after_epoch(
    observers: &[Observer],
    stack: &Stack,
    layers: &[Layer],
    sample: impl FnOnce() -> Tensor,
) -> Observations {
    let _no_grad = tch::no_grad_guard();
    let mut found = Vec::new();
    if observers.contains(&Observer::WeightNorm) {
        found.extend(norms::weight_norms(stack));
    }
    if observers.contains(&Observer::DeadUnits) || observers.contains(&Observer::Saturation) {
        found.extend(activations::activation_statistics(observers, stack, layers, &sample()));
    }
    found
}
