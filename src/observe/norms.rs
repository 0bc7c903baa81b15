//! Norms by layer: of the gradient, which may vanish or explode with depth, and of the weights.

use tch::{Kind, Tensor};

use crate::network::arena::Slot;
use crate::network::stack::Stack;
use crate::observe::observer::{Observations, Observer};

/// Returns the Euclidean norm of the gradient of all parameters of each layer.
///
/// # Shapes
/// `gradient` `[replicas, parameters]` → for each layer with parameters, `[replicas]`, f64.
pub fn gradient_norms(stack: &Stack, gradient: &Tensor) -> Observations {
    let _no_grad = tch::no_grad_guard();
    by_layer(stack, gradient, Observer::GradientNorm, |_| true)
}

/// Returns the Euclidean norm of each layer's weights: `[replicas]`, f64.
pub fn weight_norms(stack: &Stack) -> Observations {
    by_layer(stack, stack.arena().values(), Observer::WeightNorm, Slot::is_weight)
}

fn by_layer(stack: &Stack, values: &Tensor, observer: Observer, counts: fn(&Slot) -> bool) -> Observations {
    let mut squares: Vec<(usize, Tensor)> = Vec::new();
    for slot in stack.arena().slots().iter().filter(|slot| counts(slot)) {
        let layer = slot.layer;
        let square = slot.view(values).flatten(1, -1).to_kind(Kind::Double).square().sum_dim_intlist(1, false, None);
        match squares.last_mut() {
            Some((last, sum)) if *last == layer => *sum = &*sum + square,
            _ => squares.push((layer, square)),
        }
    }
    squares.into_iter().map(|(layer, square)| (observer.series(layer), square.sqrt())).collect()
}
